// A stand-in for the mail API (Resend's documented shapes and errors) on this machine.
//
//   node cp-worker/stand-ins/mail.mjs [--port 0]
//
// The worker is pointed at it by MAIL_API_URL = url + "/emails". `start()` gives `mails`, the newest
// last, and `fail(status, times)`.
import { randomUUID } from "node:crypto";
import { runAlone, serve } from "./server.mjs";

/** The key that it knows. */
export const KEY = "re_stand_in_1234567890";

const MAX_MAILS = 1000;

/** Names of the API's errors by their status. */
const NAMES = {
  401: "missing_api_key",
  403: "invalid_api_key",
  422: "missing_required_field",
  429: "rate_limit_exceeded",
  500: "application_error",
};

const refusal = (statusCode, message) => ({
  status: statusCode,
  json: { statusCode, name: NAMES[statusCode], message },
});

/** Starts it. */
export async function start({ port } = {}) {
  const mails = [];
  let failing = { status: 0, times: 0 };

  const answer = ({ method, path, headers, body }) => {
    if (method !== "POST" || path !== "/emails") return undefined;
    if (failing.times > 0) {
      failing.times -= 1;
      return refusal(failing.status, "as told");
    }
    if (!headers.authorization) return refusal(401, "Missing API Key");
    if (headers.authorization !== `Bearer ${KEY}`) return refusal(403, "API key is invalid");
    const mail = JSON.parse(body);
    for (const field of ["from", "to", "subject"]) {
      if (!mail[field]) return refusal(422, `Missing \`${field}\` field.`);
    }
    if (!mail.text && !mail.html) return refusal(422, "Missing `html` or `text` field.");
    mails.push(mail);
    mails.splice(0, mails.length - MAX_MAILS);
    return { json: { id: randomUUID() } };
  };

  const server = await serve(answer, { port });
  const fail = (status, times = 1) => (failing = { status, times });
  return { ...server, mails, fail };
}

await runAlone(import.meta.url, start);
