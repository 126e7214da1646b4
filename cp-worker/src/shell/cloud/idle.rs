//! Notices of servers on which nothing has happened for a day: one mail for each such stretch.
//! Nothing is ever ended or switched off because of it.

use crate::shell::config::{self, Config};
use crate::shell::db::{Db, Row};
use crate::shell::mail::{self, Mail};
use crate::shell::now;
use worker::{Env, Result, console_error};

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
        if mail::send(env, &config, &notice(&server, config::variable(env, "PUBLIC_ORIGIN")))
            .await
            .is_err()
        {
            console_error!("the owner of {gateway_id} could not be told that it is idle");
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
    let place = match origin {
        Some(origin) => format!("{origin}/servers/{}", server.text("gateway_id")),
        None => "the list of your servers".to_owned(),
    };
    let offer = if server.count("droplet") == 1 {
        format!("If you do not need it for now, you can power it off here:\n{place}")
    } else {
        format!("To look at it:\n{place}")
    };
    Mail {
        to: server.text("email").to_owned(),
        subject: format!("Nothing has happened on {name} for 24 hours"),
        text: format!(
            "Your server {name} is running, and for more than 24 hours nothing has happened in \
             its sessions.\n\n{offer}\n\nNothing is ended by itself, and you get one such mail \
             until something happens there again.\n"
        ),
    }
}
