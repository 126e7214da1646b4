// What the stand-ins for GitHub and Google share: codes that are good once, for one client, one
// address to return to and one PKCE challenge, and the tokens that they are exchanged for.
import { createHash, randomBytes } from "node:crypto";

const MAX_GRANTS = 1000;

/** Who the deployment is at every stand-in. */
export const CLIENT = { id: "stand-in-client", secret: "stand-in-secret" };

const token = (prefix) => prefix + randomBytes(20).toString("hex");

/** The bookkeeping of a provider. */
export class Grants {
  #codes = new Map();
  #tokens = new Set();

  /** The person's consent, or refusal, as a redirect back; `undefined` when the request is wrong. */
  authorize(query, consent) {
    const target = query.get("redirect_uri");
    const known = query.get("client_id") === CLIENT.id && query.get("response_type") === "code";
    if (!known || !target || query.get("code_challenge_method") !== "S256") return undefined;
    const back = new URL(target);
    back.searchParams.set("state", query.get("state") ?? "");
    if (consent === "grant") {
      const code = token("");
      this.#codes.set(code, { target, challenge: query.get("code_challenge") });
      if (this.#codes.size > MAX_GRANTS) this.#codes.clear();
      back.searchParams.set("code", code);
    } else {
      back.searchParams.set("error", consent);
      back.searchParams.set("error_description", "The user has denied access.");
    }
    return { status: 302, headers: { location: back.href } };
  }

  /** Exchanges a code; what is wrong is named by the word of RFC 6749. */
  exchange(body) {
    const form = new URLSearchParams(body);
    const client = form.get("client_id") === CLIENT.id;
    if (!client || form.get("client_secret") !== CLIENT.secret) return { error: "invalid_client" };
    const code = this.#codes.get(form.get("code"));
    this.#codes.delete(form.get("code"));
    const digest = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
    const fits = form.get("grant_type") === "authorization_code";
    if (!code || !fits || code.target !== form.get("redirect_uri") || code.challenge !== digest) {
      return { error: "invalid_grant" };
    }
    const access_token = token("tok_");
    if (this.#tokens.size > MAX_GRANTS) this.#tokens.clear();
    this.#tokens.add(access_token);
    return { access_token };
  }

  /** Whether a request carries a token that was given out. */
  knows({ authorization = "" }) {
    return this.#tokens.has(authorization.replace(/^Bearer /, ""));
  }
}
