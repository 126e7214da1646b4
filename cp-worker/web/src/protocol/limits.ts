// The bounds of the contract that the browser needs; a test compares them with frames.json.

/** Bytes before a binary frame's payload: kind, id, seq. */
export const HEADER_BYTES = 9;

/** Largest text frame in bytes, both directions. */
export const MAX_TEXT_BYTES = 2 * 1024 * 1024;

/** Largest payload in bytes of one terminal output frame. */
export const OUTPUT_FRAME_BYTES = 16 * 1024;

/** Largest file chunk in bytes; every chunk but the last has exactly this size. */
export const FILE_CHUNK_BYTES = 128 * 1024;

/** Largest file in bytes that can be transferred. */
export const FILE_BYTES = 20 * 1024 * 1024;

/** Credit: output bytes of one session that may be on the way unacknowledged. */
export const OUTPUT_WINDOW = 256 * 1024;

/** Largest `session.input` in bytes, decoded. */
export const INPUT_BYTES = 48 * 1024;

/** Largest `session.paste` in bytes, decoded. */
export const PASTE_BYTES = 1024 * 1024;

/** Most columns and most rows of a terminal; the fewest is 1. */
export const MAX_CELLS = 1000;

/** Most history lines that a snapshot may ask for. */
export const MAX_HISTORY_LINES = 10_000;

/** Longest session name in characters. */
export const NAME_CHARS = 64;

/** Longest label of an SSH key in characters. */
export const KEY_LABEL_CHARS = 64;
