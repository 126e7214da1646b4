// What the codes mean with which connecting to DigitalOcean comes back.

const SENTENCES: Record<string, string> = {
  denied: "You did not allow it at DigitalOcean, so nothing was connected.",
  expired: "That connection was begun in another browser, or too long ago. Try again.",
  refused: "DigitalOcean did not accept the connection. Try again.",
  unreachable: "DigitalOcean did not answer as it should. Try again in a minute.",
  other_account:
    "Servers of the account that was connected before still exist. Destroy them first, or connect that account.",
};

/** The sentence for `?cloud=`. Foreign text is never shown. */
export function cloudProblem(code: string): string {
  return (
    (Object.hasOwn(SENTENCES, code) ? SENTENCES[code] : undefined) ??
    "DigitalOcean could not be connected. Try again."
  );
}
