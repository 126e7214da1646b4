//! The Worker: binds the pure logic to fetch, D1, the Durable Object and the clock.

mod api;
mod cloud;
mod config;
mod db;
mod history;
mod hub;
mod jobs;
mod kv;
mod log;
mod mail;
mod mailbox;
mod outbound;
mod pages;
mod rates;
mod respond;
mod sockets;
mod streams;
mod sweep;
mod timer;
mod transfers;

use crate::limits::CLOSE_NOT_SIGNED_IN;
use crate::routes::{NoRoute, Route, route};
use config::Config;
use log::Trace;
use respond::{Failure, Outcome};
use serde_json::json;
use streams::Body;
use worker::{
    Context, Env, Request, Response, Result, ScheduleContext, ScheduledEvent, event, web_sys,
};

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let is_socket = route("GET", &request.path()).is_ok_and(|route| route.is_browser_socket());
    let route = route(request.method().as_ref(), &request.path());
    let trace = Trace::new(&request, route.as_ref().ok());
    // The same request, not its `clone()`.
    let sent = Clone::clone(request.inner());
    let response = match answer(request, env, route, &trace).await {
        Ok(response) => response,
        Err(mut failure) => {
            let cause = failure.take_cause();
            trace.failed(failure.code(), cause);
            refuse(failure, is_socket, &sent).await?
        }
    };
    trace.end(response)
}

async fn refuse(failure: Failure, is_socket: bool, sent: &web_sys::Request) -> Result<Response> {
    if is_socket {
        // A page cannot read the status of a refused upgrade, but it can read a close code.
        return respond::closed(&failure);
    }
    if !sent.body_used() {
        Body::new(sent.body())?.drain().await;
    }
    failure.into_response()
}

/// Each minute.
#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    let began_at = now();
    cloud::run(&env).await;
    log::info("cron", json!({ "ms": now().saturating_sub(began_at) }));
}

async fn answer(
    request: Request,
    env: Env,
    route: std::result::Result<Route, NoRoute>,
    trace: &Trace,
) -> Outcome {
    let route = route.map_err(|none| match none {
        NoRoute::NotFound => Failure::not_found("no such address"),
        NoRoute::MethodNotAllowed => Failure::new("method_not_allowed", "not with this method"),
    })?;
    if route == Route::Asset {
        return pages::answer(request, &env).await;
    }
    let config = Config::read(&request, &env)?;
    if let Route::GatewaySocket(gateway_id) = &route {
        return api::gateway_socket(&request, &env, &config, gateway_id).await;
    }
    let from_elsewhere = config.is_foreign_origin(&request)?;
    if (route.is_mutating() || route.is_browser_socket()) && from_elsewhere {
        return Err(Failure::new("foreign_origin", "requests must come from our own pages"));
    }
    api::answer(request, &env, &config, route, trace).await
}

/// Milliseconds since the Unix epoch; frozen within one event on the platform.
fn now() -> u64 {
    worker::Date::now().as_millis()
}

/// `N` random bytes.
fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| worker::Error::RustError(error.to_string()))?;
    Ok(bytes)
}

/// A random id of `N` bytes in hex behind `prefix`.
fn random_id<const N: usize>(prefix: &str) -> Result<String> {
    let digits: String = random::<N>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{prefix}{digits}"))
}
