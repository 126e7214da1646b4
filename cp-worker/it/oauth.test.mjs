// Signing in by GitHub and Google in real workerd, against stand-ins for both.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Browser, oauthWorld, refusal } from "./accounts.mjs";
import { User, world } from "./harness.mjs";

const address = (email, primary = true, verified = true) => ({ email, primary, verified });

/** Both providers, with how each is told who its person is. */
const PROVIDERS = [
  {
    name: "github",
    become: (here, id, email, verified = true) => {
      here.github.account.id = id;
      here.github.account.emails = [
        address("other@example.com", false),
        address(email, true, verified),
      ];
    },
  },
  {
    name: "google",
    become: (here, id, email, verified = true) => {
      Object.assign(here.google.account, { sub: `${id}`, email, email_verified: verified });
    },
  },
];

test("people sign in by a provider, with state and PKCE", async (t) => {
  const here = await oauthWorld(t);
  const { url } = here;
  const config = await new User(url).ask("GET", "/api/config");
  assert.deepEqual([config.github, config.google], [true, true]);
  for (const { name, become } of PROVIDERS) {
    become(here, 17, `Ada+${name}@Example.com`);
    const browser = new Browser(url);
    const start = await browser.go(`/api/auth/${name}`);
    const there = new URL(start.headers.get("location"));
    assert.equal(there.origin, here[name].url);
    assert.equal(there.searchParams.get("redirect_uri"), `${url}/api/auth/${name}/callback`);
    assert.match(there.searchParams.get("code_challenge"), /^[\w-]{43}$/);
    assert.match(there.searchParams.get("state"), /^[\w-]{43}$/);
    const set = start.headers.get("set-cookie");
    assert.match(set, /^chatcode_oauth=.*; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/);
    assert.ok(!start.headers.get("location").includes("secret"));

    assert.equal(await browser.signIn(name), "/");
    const me = await browser.me();
    const email = `ada+${name}@example.com`;
    assert.equal(me.email, email);
    assert.deepEqual(me.identities, [{ kind: "email", email }, { kind: name, email }]);
    assert.deepEqual([...browser.cookies.keys()], ["chatcode_session"]);
    // The same person again.
    const elsewhere = new Browser(url);
    assert.equal(await elsewhere.signIn(name), "/");
    assert.deepEqual(await elsewhere.me(), me);
  }
});

test("a verified address finds the user it belongs to", async (t) => {
  const here = await oauthWorld(t);
  const ada = await User.signIn(here.url, "ada@example.com");
  const { user } = await ada.ask("GET", "/api/me");
  for (const { name, become } of PROVIDERS) {
    become(here, 17, "ADA@example.com");
    const browser = new Browser(here.url);
    assert.equal(await browser.signIn(name), "/");
    assert.equal((await browser.me()).user_id, user.user_id);
  }
  const { identities } = (await ada.ask("GET", "/api/me")).user;
  const kinds = identities.map(({ kind }) => kind).sort();
  assert.deepEqual(kinds, ["email", "github", "google"]);
  assert.ok(identities.every(({ email }) => email === "ada@example.com"));
  // And the other way round: who came by a provider first is found by a link.
  here.github.account.id = 18;
  here.github.account.emails = [address("bob@example.com")];
  const browser = new Browser(here.url);
  await browser.signIn("github");
  const bob = await User.signIn(here.url, "bob@example.com");
  assert.deepEqual((await bob.ask("GET", "/api/me")).user, await browser.me());
});

test("an account elsewhere stays its user's when its address changes", async (t) => {
  const here = await oauthWorld(t);
  for (const { name, become } of PROVIDERS) {
    become(here, 17, `${name}@example.com`);
    const browser = new Browser(here.url);
    await browser.signIn(name);
    const { user_id } = await browser.me();
    // To an address that is somebody else's here: still the same account, and no way to theirs.
    const bob = await User.signIn(here.url, "bob@example.com");
    become(here, 17, "bob@example.com");
    assert.equal(await browser.signIn(name), "/");
    const me = await browser.me();
    assert.deepEqual([me.user_id, me.email], [user_id, `${name}@example.com`]);
    assert.equal(me.identities.find(({ kind }) => kind === name).email, "bob@example.com");
    assert.notEqual((await bob.ask("GET", "/api/me")).user.user_id, user_id);
    // To one that is not verified: the account is known all the same.
    become(here, 17, "eve@example.com", false);
    assert.equal(await browser.signIn(name), "/");
    assert.equal((await browser.me()).user_id, user_id);
    // Whoever has the address now is somebody else.
    become(here, 99, "carol@example.com");
    assert.equal(await browser.signIn(name), "/");
    assert.notEqual((await browser.me()).user_id, user_id);
  }
});

test("an address that is not verified opens nothing", async (t) => {
  const here = await oauthWorld(t);
  await User.signIn(here.url, "ada@example.com");
  for (const { name, become } of PROVIDERS) {
    become(here, 17, "ada@example.com", false);
    const browser = new Browser(here.url);
    assert.equal(await browser.signIn(name), "/sign-in?problem=unverified_email");
    assert.deepEqual([...browser.cookies], []);
  }
  // Letters that only look like somebody else's are others.
  here.github.account.emails = [address("\u212Aate@example.com")];
  const browser = new Browser(here.url);
  await browser.signIn("github");
  const kate = await User.signIn(here.url, "kate@example.com");
  assert.notEqual((await kate.ask("GET", "/api/me")).user.user_id, (await browser.me()).user_id);
  here.github.account.emails = [];
  here.github.account.id = 18;
  assert.equal(await new Browser(here.url).signIn("github"), "/sign-in?problem=unverified_email");
});

test("what goes wrong at a provider is told by the sign-in page", async (t) => {
  const here = await oauthWorld(t);
  const problem = (code) => `/sign-in?problem=${code}`;
  for (const { name } of PROVIDERS) {
    const provider = here[name];
    const attempt = async (changes) => {
      provider.set({ consent: "grant", failing: null, ...changes });
      const browser = new Browser(here.url);
      const end = await browser.signIn(name);
      assert.deepEqual([...browser.cookies], [], "nobody is signed in, and the state is gone");
      return end;
    };
    assert.equal(await attempt({ consent: "access_denied" }), problem("access_denied"));
    assert.equal(await attempt({ consent: "server_error" }), problem("provider_failed"));
    assert.equal(await attempt({ failing: "token" }), problem("provider_failed"));
    assert.equal(await attempt({ failing: "user" }), problem("provider_failed"));
    provider.set({ failing: null, consent: "grant" });
  }
  here.google.account.sub = "";
  assert.equal(await new Browser(here.url).signIn("google"), problem("provider_failed"));
  await here.github.close();
  const browser = new Browser(here.url);
  const start = await browser.go("/api/auth/github");
  const state = new URL(start.headers.get("location")).searchParams.get("state");
  const end = await browser.go(`/api/auth/github/callback?code=x&state=${state}`);
  assert.equal(end.headers.get("location"), problem("provider_failed"));
});

test("an answer that was not asked for here and now signs nobody in", async (t) => {
  const here = await oauthWorld(t);
  const bad = "/sign-in?problem=bad_state";
  const victim = new Browser(here.url);
  const land = async (browser, address) => (await browser.go(address)).headers.get("location");

  // Somebody else's answer, in a browser that asked for nothing, or for something else.
  const thief = new Browser(here.url);
  const there = await thief.go("/api/auth/github");
  const back = (await thief.go(there.headers.get("location"))).headers.get("location");
  assert.equal(await land(victim, back), bad);
  await victim.go("/api/auth/github");
  assert.equal(await land(victim, back), bad);
  assert.deepEqual([...victim.cookies], []);

  // Made up, or for another provider.
  const google = await victim.go("/api/auth/google");
  const state = new URL(google.headers.get("location")).searchParams.get("state");
  assert.equal(await land(victim, `/api/auth/github/callback?code=x&state=${state}`), bad);
  for (const query of ["", "?state=", "?code=x", `?code=x&state=${"A".repeat(43)}`, "?state=%zz"]) {
    await victim.go("/api/auth/google");
    assert.equal(await land(victim, `/api/auth/google/callback${query}`), bad, query);
  }
  // A cookie of another kind, or one that was changed.
  const forged = new Browser(here.url);
  await forged.signIn("github");
  forged.cookies.set("chatcode_oauth", forged.cookies.get("chatcode_session"));
  assert.equal(await land(forged, back), bad);

  // The thief himself, once: neither the state nor the code is good again.
  const kept = new Map(thief.cookies);
  assert.equal(await land(thief, back), "/");
  assert.equal(await land(thief, back), bad);
  thief.cookies.set("chatcode_oauth", kept.get("chatcode_oauth"));
  assert.equal(await land(thief, back), "/sign-in?problem=provider_failed");
});

test("a provider that is not set up is not there", async (t) => {
  const { url } = await world(t, { bindings: { GITHUB_CLIENT_ID: "id", GOOGLE_CLIENT_SECRET: "s" } });
  for (const path of ["github", "google", "github/callback", "google/callback?code=x&state=y"]) {
    const response = await fetch(`${url}/api/auth/${path}`, { redirect: "manual" });
    assert.equal(await refusal(response, 404), "not_found");
  }
  const { url: clear } = await oauthWorld(t, { GITHUB_URL: "http://github.example" });
  const response = await fetch(`${clear}/api/auth/github`, { redirect: "manual" });
  assert.equal(await refusal(response, 500), "misconfigured");
});
