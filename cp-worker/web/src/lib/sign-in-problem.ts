// What the codes mean with which a provider's sign-in comes back to the sign-in page.

const SENTENCES: Record<string, string> = {
  access_denied: "You did not allow it there, so nobody was signed in.",
  bad_state: "That sign-in was begun in another browser, or too long ago. Try again.",
  unverified_email: "Your address there is not confirmed. Confirm it, or use a link by email.",
  no_email: "No address of yours could be read there. Use a link by email.",
  provider_failed: "The other side did not answer as it should. Try again, or use a link by email.",
  link_expired: "That link has been used, or is older than ten minutes. Ask for a new one.",
  rate_limited: "Too many tries. Wait a while and try again.",
};

/** The sentence for `?problem=`; null when there is none. Foreign text is never shown. */
export function signInProblem(code: string | null): string | null {
  if (code === null || code === "") return null;
  return Object.hasOwn(SENTENCES, code)
    ? (SENTENCES[code] ?? null)
    : "Signing in did not work. Try again, or use a link by email.";
}
