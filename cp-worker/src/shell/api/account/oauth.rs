//! Signing in by GitHub or Google.

use super::{open, with_cookie};
use crate::auth::cookie;
use crate::auth::oauth::{
    self, Identity, Journey, Provider, challenge, form, github_identity, google_identity,
};
use crate::requests::parameter;
use crate::shell::api::{no_such_address, query};
use crate::shell::config::{self, Config};
use crate::shell::db::Db;
use crate::shell::respond::{Failure, Outcome, redirect};
use crate::shell::{log, now, outbound, random, random_id};
use serde_json::{Value, json};
use worker::{Env, Request};

/// GitHub wants every program to say who it is.
const USER_AGENT: &str = "chatcode";

/// Our name and password at a provider.
pub(super) struct Client {
    id: String,
    secret: String,
}

/// A provider's addresses.
struct Addresses {
    authorize: String,
    token: String,
    /// What its API's paths begin with.
    api: String,
}

/// Our client at a provider; `None` where the deployment has none.
pub(super) fn client(env: &Env, provider: Provider) -> Option<Client> {
    let (id, secret) = match provider {
        Provider::GitHub => ("GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"),
        Provider::Google => ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"),
    };
    let (id, secret) = (config::variable(env, id)?, config::optional_secret(env, secret)?);
    Some(Client { id, secret })
}

fn addresses(env: &Env, provider: Provider) -> Result<Addresses, Failure> {
    let address = |name, default| config::endpoint(env, name, default);
    Ok(match provider {
        Provider::GitHub => {
            let site = address("GITHUB_URL", "https://github.com")?;
            Addresses {
                authorize: format!("{site}/login/oauth/authorize"),
                token: format!("{site}/login/oauth/access_token"),
                api: address("GITHUB_API_URL", "https://api.github.com")?,
            }
        }
        Provider::Google => Addresses {
            authorize: address("GOOGLE_AUTH_URL", "https://accounts.google.com/o/oauth2/v2/auth")?,
            token: address("GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com/token")?,
            api: address("GOOGLE_API_URL", "https://openidconnect.googleapis.com/v1")?,
        },
    })
}

/// Sends the browser to a provider.
pub(in crate::shell::api) fn start_oauth(
    env: &Env,
    config: &Config,
    provider: Provider,
) -> Outcome {
    let client = client(env, provider).ok_or_else(no_such_address)?;
    let unusable = || Failure::new("misconfigured", "COOKIE_SECRET cannot sign");
    let journey = Journey::begin(provider.name(), &random()?, now());
    let verifier = oauth::verifier(&config.cookie_secret, &journey.state).ok_or_else(unusable)?;
    let query = form(&[
        ("response_type", "code"),
        ("client_id", &client.id),
        ("redirect_uri", &provider.redirect_uri(&config.origin)),
        ("scope", provider.scope()),
        ("state", &journey.state),
        ("code_challenge", &challenge(&verifier)),
        ("code_challenge_method", "S256"),
    ]);
    let kept = cookie::OAUTH.sign(&config.cookie_secret, &journey.payload());
    let set = cookie::OAUTH.set(&kept.ok_or_else(unusable)?, config.is_secure());
    let authorize = addresses(env, provider)?.authorize;
    with_cookie(redirect(&format!("{authorize}?{query}"))?, &set)
}

/// Takes the browser back from a provider. What goes wrong is told by the sign-in page.
pub(in crate::shell::api) async fn finish_oauth(
    request: &Request,
    env: &Env,
    config: &Config,
    provider: Provider,
) -> Outcome {
    let client = client(env, provider).ok_or_else(no_such_address)?;
    let arrived = arrive(request, env, config, provider, &client).await;
    let response = match arrived {
        Ok(cookie) => with_cookie(redirect("/")?, &cookie)?,
        Err(problem) => redirect(&format!("/sign-in?problem={}", problem.code()))?,
    };
    with_cookie(response, &cookie::OAUTH.clear(config.is_secure()))
}

/// Why nobody is signed in.
enum Problem {
    /// The person said no.
    Denied,
    /// It took too long, or this browser never left for there.
    Expired,
    /// The provider could not be asked, or makes no sense.
    Provider,
    /// The provider has not verified an address.
    Unverified,
    /// On our side.
    Internal,
}

impl Problem {
    fn code(&self) -> &'static str {
        match self {
            Self::Denied => "access_denied",
            Self::Expired => "bad_state",
            Self::Provider => "provider_failed",
            Self::Unverified => "unverified_email",
            Self::Internal => "internal",
        }
    }
}

impl From<Failure> for Problem {
    fn from(_: Failure) -> Self {
        Self::Internal
    }
}

impl From<worker::Error> for Problem {
    fn from(error: worker::Error) -> Self {
        Failure::from(error).into()
    }
}

/// The `Set-Cookie` header for the one who comes back.
async fn arrive(
    request: &Request,
    env: &Env,
    config: &Config,
    provider: Provider,
    client: &Client,
) -> Result<String, Problem> {
    let (query, header) = (query(request), request.headers().get("Cookie")?.unwrap_or_default());
    let state = parameter(&query, "state").unwrap_or_default();
    cookie::OAUTH
        .find(&header, config.is_secure())
        .and_then(|value| cookie::OAUTH.verify(&config.cookie_secret, value))
        .filter(|payload| Journey::is_end(payload, provider.name(), &state, now()))
        .ok_or(Problem::Expired)?;
    if let Some(error) = parameter(&query, "error") {
        let denied = error == "access_denied";
        return Err(if denied { Problem::Denied } else { Problem::Provider });
    }
    let code = parameter(&query, "code").ok_or(Problem::Provider)?;
    let verifier = oauth::verifier(&config.cookie_secret, &state).ok_or(Problem::Internal)?;
    let identity = identity(env, config, provider, client, &code, &verifier).await?;
    let db = Db::new(env)?;
    let user = db.user_of_identity(provider, &identity, &random_id::<12>("u_")?, now()).await?;
    let user = user.ok_or(Problem::Unverified)?;
    Ok(open(request, env, config, &user).await?)
}

/// Asks the provider who came.
async fn identity(
    env: &Env,
    config: &Config,
    provider: Provider,
    client: &Client,
    code: &str,
    verifier: &str,
) -> Result<Identity, Problem> {
    let addresses = addresses(env, provider)?;
    let body = form(&[
        ("grant_type", "authorization_code"),
        ("client_id", &client.id),
        ("client_secret", &client.secret),
        ("code", code),
        ("redirect_uri", &provider.redirect_uri(&config.origin)),
        ("code_verifier", verifier),
    ]);
    let answer = ask(provider, "POST", &addresses.token, "", Some(&body)).await?;
    // GitHub refuses with status 200.
    let Some(token) = answer.get("access_token").and_then(Value::as_str) else {
        return Err(refused(provider, &answer));
    };
    let token = format!("Bearer {token}");
    let get = async |path: &str| {
        ask(provider, "GET", &format!("{}{path}", addresses.api), &token, None).await
    };
    let identity = match provider {
        Provider::GitHub => github_identity(&get("/user").await?, &get("/user/emails").await?),
        Provider::Google => google_identity(&get("/userinfo").await?),
    };
    identity.ok_or_else(|| refused(provider, &Value::Null))
}

/// A provider's answer, whatever its status. Nothing of it is logged but its own word for an error.
async fn ask(
    provider: Provider,
    method: &str,
    url: &str,
    authorization: &str,
    body: Option<&str>,
) -> Result<Value, Problem> {
    let mut headers = vec![("Accept", "application/json"), ("User-Agent", USER_AGENT)];
    if body.is_some() {
        headers.push(("Content-Type", "application/x-www-form-urlencoded"));
    }
    if !authorization.is_empty() {
        headers.push(("Authorization", authorization));
    }
    let answer = outbound::ask(method, url, &headers, body).await.map_err(|error| {
        log::error("oauth.unanswered", &error, json!({ "provider": provider.name() }));
        Problem::Provider
    })?;
    if answer.is_ok() { Ok(answer.json()) } else { Err(refused(provider, &answer.json())) }
}

fn refused(provider: Provider, answer: &Value) -> Problem {
    let word = answer.get("error").and_then(Value::as_str).unwrap_or("no reason given");
    let cut = format_args!("{word:.64}");
    log::error("oauth.refused", &cut, json!({ "provider": provider.name() }));
    // GitHub's word for an account whose address is not verified.
    if word == "unverified_user_email" { Problem::Unverified } else { Problem::Provider }
}
