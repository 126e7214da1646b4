// What is taken for a public key, and above all what is not.

import { expect, it } from "vitest";
import { readPublicKey } from "./ssh-key";

const ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

const problem = (text: string) => {
  const read = readPublicKey(text);
  return read !== null && "problem" in read ? read.problem : null;
};

it("takes the line of a .pub file", () => {
  expect(readPublicKey(`  ${ED25519} ada@laptop of hers\n`)).toEqual({
    line: `${ED25519} ada@laptop of hers`,
    comment: "ada@laptop of hers",
  });
  expect(readPublicKey(ED25519)).toMatchObject({ comment: "" });
  expect(readPublicKey(" \n")).toBeNull();
});

it.each([
  "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU=\n-----END OPENSSH PRIVATE KEY-----",
  "-----BEGIN RSA PRIVATE KEY-----",
  "-----BEGIN ENCRYPTED PRIVATE KEY-----",
  "  -----begin private key-----",
  "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none",
  "Private-Lines: 1",
  "AGE-SECRET-KEY-1QQQQQQQQ",
  // The armour is missing, the key is not.
  "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ",
  `${ED25519}\n-----BEGIN OPENSSH PRIVATE KEY-----`,
])("refuses a private key: %s", (text) => {
  expect(problem(text)).toContain("private key");
  expect(readPublicKey(text)).toMatchObject({ secret: true });
});

it.each([
  ["two keys", `${ED25519}\n${ED25519}`, "several lines"],
  ["options before the key", `restrict ${ED25519}`, "begins with its kind"],
  ["a fingerprint", "SHA256:abc", "begins with its kind"],
  ["a DSA key", "ssh-dss AAAA", "DSA"],
  ["half a key", "ssh-ed25519 AAAAC3Nza", "damaged"],
  ["no base64", "ssh-ed25519 ~~~~", "damaged"],
  ["a key of another kind", ED25519.replace("ssh-ed25519", "ssh-rsa"), "damaged"],
  ["a length without end", "ssh-ed25519 /////w==", "damaged"],
])("refuses %s", (_, text, words) => {
  expect(problem(text)).toContain(words);
});
