// Looks at what a person pasted as a public key, before any of it leaves the browser.

/** Kinds of keys that a gateway accepts. */
const KINDS = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
];

/** How private keys begin, as OpenSSH, OpenSSL, PuTTY and age write them, and without armour. */
const PRIVATE =
  /PRIVATE KEY|^-----BEGIN|PuTTY-User-Key-File|Private-Lines|AGE-SECRET-KEY|b3BlbnNzaC1rZXktdjE/im;

const PRIVATE_PROBLEM =
  "That is a private key. It was not sent, and is no longer in this field. Paste the one line of the .pub file beside it.";

/** A key that may be sent; or what is wrong, and whether the text must not stay on the page. */
export type PastedKey = { line: string; comment: string } | { problem: string; secret?: true };

/** The key in `text`, or what is wrong with it; null for nothing yet. */
export function readPublicKey(text: string): PastedKey | null {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  if (PRIVATE.test(trimmed)) return { problem: PRIVATE_PROBLEM, secret: true };
  const lines = trimmed.split(/\r?\n/).filter((line) => line.trim() !== "");
  const line = lines[0]?.trim() ?? "";
  if (lines.length > 1) return { problem: "These are several lines. Add one key at a time." };
  const [kind = "", body = "", ...comment] = line.split(/\s+/);
  if (kind === "ssh-dss")
    return { problem: "DSA keys are not safe any more, and sshd refuses them." };
  if (!KINDS.includes(kind))
    return { problem: "A public key begins with its kind, such as ssh-ed25519." };
  if (kindInside(body) !== kind)
    return { problem: "The key is damaged or not complete. Copy the whole line." };
  return { line, comment: comment.join(" ") };
}

/** The kind that the key's own bytes name: a length, then the name. */
function kindInside(base64: string): string | null {
  try {
    const bytes = atob(base64);
    const length = [...bytes.slice(0, 4)].reduce((sum, byte) => sum * 256 + byte.charCodeAt(0), 0);
    return bytes.length > 4 + length ? bytes.slice(4, 4 + length) : null;
  } catch {
    return null;
  }
}
