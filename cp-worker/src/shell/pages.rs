//! The web app's files, where it has to be decided which one is meant.

use super::config::origin_of;
use super::respond::{Failure, Outcome};
use crate::auth::cookie;
use worker::{Env, Request};

/// A page or a file.
///
/// The platform serves files that exist without running us. Here come `/`, which is the app for
/// who has a sign-in cookie and the landing page for who has none, and what is no file.
pub async fn answer(request: Request, env: &Env) -> Outcome {
    // Not bound where only the API runs.
    let Ok(assets) = env.assets("ASSETS") else {
        return Err(Failure::not_found("the web app is not part of this deployment"));
    };
    let path = request.path();
    // A file of another version of the app. The first page instead would be kept as a script.
    if path.starts_with("/assets/") {
        return Err(Failure::not_found("no such file"));
    }
    let cookies = request.headers().get("Cookie")?.unwrap_or_default();
    let is_named = |secure| cookie::SIGN_IN.find(&cookies, secure).is_some();
    if path == "/" && !is_named(true) && !is_named(false) {
        let landing = format!("{}/landing", origin_of(&request.inner().url()));
        return Ok(assets.fetch(landing, None).await?);
    }
    Ok(assets.fetch_request(request).await?)
}
