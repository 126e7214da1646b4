// A stand-in for Google's sign-in on this machine: OpenID Connect's code flow and userinfo.
//
//   node cp-worker/stand-ins/google.mjs [--port 0]
//
// The worker is pointed at it by GOOGLE_AUTH_URL = url + "/o/oauth2/v2/auth", GOOGLE_TOKEN_URL =
// url + "/token" and GOOGLE_API_URL = url + "/v1". `start()` gives `account` (`{sub, email,
// email_verified}`) and `set({consent, failing})` to change, as at GitHub.
import { Grants } from "./oauth.mjs";
import { runAlone, serve } from "./server.mjs";

/** Starts it. */
export async function start({ port } = {}) {
  const grants = new Grants();
  const account = { sub: "10769150350006150715113082367", email: "ada@example.com" };
  account.email_verified = true;
  const state = { consent: "grant", failing: null };

  const answer = ({ method, path, query, headers, body }) => {
    switch (`${method} ${path}`) {
      case "GET /o/oauth2/v2/auth":
        return grants.authorize(query, state.consent);
      case "POST /token": {
        if (state.failing === "token") return { status: 500, json: { error: "internal_failure" } };
        const { error, access_token } = grants.exchange(body);
        const status = error === "invalid_client" ? 401 : 400;
        if (error) return { status, json: { error, error_description: "Bad Request" } };
        const scope = "openid https://www.googleapis.com/auth/userinfo.email";
        return { json: { access_token, expires_in: 3599, scope, token_type: "Bearer" } };
      }
      case "GET /v1/userinfo":
        if (state.failing === "user" || !grants.knows(headers)) {
          const error_description = "Invalid Credentials";
          return { status: 401, json: { error: "invalid_request", error_description } };
        }
        return { json: account };
      default:
        return undefined;
    }
  };

  const server = await serve(answer, { port });
  return { ...server, account, set: (changes) => Object.assign(state, changes) };
}

await runAlone(import.meta.url, start);
