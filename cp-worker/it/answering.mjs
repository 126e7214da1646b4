// A scripted gateway that grants whatever it is asked, so that a test sees who may ask.
import { createHash } from "node:crypto";
import { User } from "./harness.mjs";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** The event that carries the answer to a command; none where the ack is all. */
function event({ type, session_id }) {
  switch (type) {
    case "session.create":
      return ["session.started", { session_id, pid: 1 }];
    case "session.end":
      return ["session.ended", { session_id, signal: 1, reason: "ended" }];
    case "ssh.list":
      return ["ssh.keys", { keys: [] }];
    case "agents.list":
      return ["agents.status", { agents: [] }];
    case "workspace.list":
      return ["workspace.folders", { folders: [] }];
    default:
      return undefined;
  }
}

/** Commands to which nothing is answered. */
const SILENT = new Set(["session.input", "session.ack", "session.resize", "file.ack"]);

/** Lets `gateway` grant everything; `gateway.asked` are the types that it was asked for. */
export function grantAll(gateway) {
  gateway.asked = [];
  gateway.onMessage = () => {
    for (const one of gateway.received.splice(0)) {
      if (Buffer.isBuffer(one)) {
        gateway.send("file.ack", { transfer_id: one.readUInt32BE(1), seq: 1 });
      } else if (one.request_id) {
        gateway.asked.push(one.type);
        grant(gateway, one);
      }
    }
  };
}

function grant(gateway, command) {
  const { type, request_id, transfer_id } = command;
  if (SILENT.has(type)) return;
  if (type === "session.attach") gateway.snapshot(command, 0);
  const [name, fields] = event(command) ?? [];
  if (name) gateway.send(name, { request_id, ...fields });
  gateway.send("ack", { request_id, ok: true });
  if (type !== "file.download") return;
  gateway.send("file.content.begin", { transfer_id, size: 0, mode: 0o644, mtime: 1 });
  gateway.send("file.content.end", { transfer_id, sha256: sha256("") });
}

/** A person with a server that grants everything and runs session 1. */
export async function granted(url, email = "ada@example.com") {
  const user = await User.signIn(url, email);
  const gateway = await user.server();
  grantAll(gateway);
  const body = { name: "shell", workdir: "app", agent: "none", cols: 80, rows: 24 };
  const { session } = await user.ask("POST", `/api/servers/${gateway.id}/sessions`, body, 201);
  return { user, gateway, session_id: session.session_id };
}
