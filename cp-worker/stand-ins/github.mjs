// A stand-in for GitHub's sign-in on this machine: OAuth's web flow and the two addresses of its API
// that say who came.
//
//   node cp-worker/stand-ins/github.mjs [--port 0]
//
// The worker is pointed at it by GITHUB_URL = GITHUB_API_URL = url. `start()` gives `account`
// (`{id, emails: [{email, primary, verified}]}`) and `set({consent, failing})` to change: `consent`
// is "grant" or the error to come back with, `failing` what fails: "token", "user" or null.
import { Grants } from "./oauth.mjs";
import { runAlone, serve } from "./server.mjs";

/** GitHub refuses to exchange a code with status 200. */
const refusal = (error) => ({ json: { error, error_description: "As the name says." } });

const ERRORS = {
  invalid_client: "incorrect_client_credentials",
  invalid_grant: "bad_verification_code",
};

/** Starts it. */
export async function start({ port } = {}) {
  const grants = new Grants();
  const email = { email: "ada@example.com", primary: true, verified: true, visibility: null };
  const account = { id: 583231, emails: [email] };
  const state = { consent: "grant", failing: null };

  const answer = ({ method, path, query, headers, body }) => {
    switch (`${method} ${path}`) {
      case "GET /login/oauth/authorize":
        return grants.authorize(query, state.consent);
      case "POST /login/oauth/access_token": {
        if (state.failing === "token") return { status: 503, json: { message: "Unavailable" } };
        const { error, access_token } = grants.exchange(body);
        if (error) return refusal(ERRORS[error]);
        return { json: { access_token, scope: "user:email", token_type: "bearer" } };
      }
      case "GET /user":
      case "GET /user/emails":
        if (!headers["user-agent"]) return { status: 403, json: { message: "User-Agent, please" } };
        if (state.failing === "user" || !grants.knows(headers)) {
          return { status: 401, json: { message: "Bad credentials" } };
        }
        return { json: path === "/user" ? { id: account.id, login: "ada" } : account.emails };
      default:
        return undefined;
    }
  };

  const server = await serve(answer, { port });
  return { ...server, account, set: (changes) => Object.assign(state, changes) };
}

await runAlone(import.meta.url, start);
