// What the codes mean with which a provider's sign-in comes back to the sign-in page.

const SENTENCES: Record<string, string> = {
  access_denied: "You did not allow it there, so nobody was signed in.",
  bad_state: "That sign-in was begun in another browser, or too long ago. Try again.",
  provider_failed: "The other side did not answer as it should. Try again, or use a link by email.",
  unverified_email: "Your address there is not confirmed. Confirm it, or use a link by email.",
};

/** The sentence for `?problem=`; null when there is none. Foreign text is never shown. */
export function signInProblem(code: string | null): string | null {
  if (code === null || code === "") return null;
  return Object.hasOwn(SENTENCES, code)
    ? (SENTENCES[code] ?? null)
    : "Signing in did not work. Try again, or use a link by email.";
}
