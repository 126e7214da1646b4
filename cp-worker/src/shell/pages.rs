//! The web app's files, where it has to be decided which one is meant.

use super::config::origin_of;
use super::respond::{Failure, Outcome};
use crate::auth::cookie;
use worker::{Env, Request, web_sys};

/// A page, for the platform serves the files that exist without running us.
///
/// `/` is the app for who has a sign-in cookie and the landing page for who has none; every other
/// address is one of the app's, which finds out by itself whether there is such a page.
pub async fn answer(request: Request, env: &Env) -> Outcome {
    let path = request.path();
    // A file of another version of the app, say. A page in its place would be kept as a script.
    if path.rsplit('/').next().is_some_and(|name| name.contains('.')) {
        return Err(Failure::not_found("no such file"));
    }
    let cookies = request.headers().get("Cookie")?.unwrap_or_default();
    let is_named = |secure| cookie::SIGN_IN.find(&cookies, secure).is_some();
    let is_stranger = path == "/" && !is_named(true) && !is_named(false);
    let page = if is_stranger { "landing" } else { "" };
    fetch(env, &format!("{}/{page}", origin_of(&request.inner().url()))).await
}

/// The text of a file that the Worker has something to fill in.
///
/// # Errors
/// Status 404 when the web app, or this file of it, is not there.
pub async fn file(env: &Env, url: &str) -> Result<String, Failure> {
    let mut response = fetch(env, url).await?;
    match response.status_code() {
        200 => Ok(response.text().await?),
        _ => Err(Failure::not_found("this file is not part of this deployment")),
    }
}

async fn fetch(env: &Env, url: &str) -> Outcome {
    // Not bound where only the API runs.
    let Ok(assets) = env.assets("ASSETS") else {
        return Err(Failure::not_found("the web app is not part of this deployment"));
    };
    // Not by the crate's own options, which cost more than all of this file.
    let request = web_sys::Request::new_with_str(url).map_err(worker::Error::from)?;
    Ok(assets.fetch_request(Request::from(request)).await?)
}
