-- That a session wants a person, since when, why, and in the program's words. NULL when it does not.
ALTER TABLE sessions ADD COLUMN attention_at INTEGER;
ALTER TABLE sessions ADD COLUMN attention_reason TEXT CHECK (length(attention_reason) <= 64);
ALTER TABLE sessions ADD COLUMN attention_title TEXT CHECK (length(attention_title) <= 256);
