//! Notices of servers on which nothing has happened for a day: one mail for each such stretch.
//! Nothing is ever ended or switched off because of it.

use crate::shell::config::{self, Config};
use crate::shell::db::{Db, Row};
use crate::shell::mail::{self, Mail};
use crate::shell::{log, now};
use serde_json::json;
use worker::{Env, Result};

/// Tells the owners who do not know it yet; a bounded number of them.
pub async fn tell_owners(env: &Env) -> Result<()> {
    let db = Db::new(env)?;
    let idle = db.idle_servers(now()).await?;
    if idle.is_empty() {
        return Ok(());
    }
    // What is wrong with the bindings is logged.
    let Ok(config) = Config::at(&origin(env), env) else { return Ok(()) };
    for server in idle {
        let gateway_id = server.text("gateway_id");
        // Noted first: who is told twice reads neither.
        if !db.note_idle(gateway_id, server.count("active_at")).await? {
            continue;
        }
        let mail = notice(&server, config::variable(env, "PUBLIC_ORIGIN"));
        if let Err(failure) = mail::send(env, &config, &mail).await {
            // Where no mail is set up, no try will help.
            if failure.code() == "misconfigured" {
                continue;
            }
            let fields = json!({ "gateway_id": gateway_id });
            log::error("idle_notice_failed", &"it is tried again", fields);
            db.unnote_idle(gateway_id).await?;
        }
    }
    Ok(())
}

/// Nobody has asked for an address: the announced one, or this machine's own, which is what the
/// development mode wants.
fn origin(env: &Env) -> String {
    config::variable(env, "PUBLIC_ORIGIN").unwrap_or_else(|| "http://localhost".to_owned())
}

fn notice(server: &Row, origin: Option<String>) -> Mail {
    let name = server.text("name");
    let droplet_origin = server.text("droplet_origin");
    // Where its gateway connects to, which is ours.
    let known = (!droplet_origin.is_empty()).then(|| droplet_origin.to_owned());
    let page = origin
        .or_else(|| known.clone())
        .map(|origin| format!(" here:\n{origin}/servers/{}", server.text("gateway_id")));
    let offer = match known {
        Some(_) => "If you do not need it for now, you can power it off",
        None => "You find it",
    };
    let page = page.unwrap_or_else(|| " in the list of your servers.".to_owned());
    Mail {
        to: server.text("email").to_owned(),
        subject: format!("Nothing has happened on {name} for 24 hours"),
        text: format!(
            "Your server {name} is running, and for more than 24 hours nothing has happened in \
             its sessions.\n\n{offer}{page}\n\nNothing is ended by itself, and you get one such \
             mail until something happens there again.\n"
        ),
    }
}
