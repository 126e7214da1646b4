// What the stand-in for DigitalOcean knows and does: grants, droplets, actions, and how far behind
// itself it is. `digitalocean.mjs` puts it behind HTTP.
import { randomBytes } from "node:crypto";

export const MAX_LOG = 1000;
const MAX_DROPLETS = 200;
const MAX_USER_DATA = 64 * 1024;
const MAX_TOKENS = 200;

const ALL = ["ams3", "fra1", "nyc3", "sgp1"];
const SIZES = [
  size("s-1vcpu-1gb", 1024, 1, 25, 6, ALL),
  size("s-1vcpu-512mb-10gb", 512, 1, 10, 4, ["fra1", "nyc3"]),
  size("s-1vcpu-2gb", 2048, 1, 50, 12, ALL),
  size("s-2vcpu-4gb", 4096, 2, 80, 24, ["ams3", "fra1", "nyc3"]),
  size("s-4vcpu-8gb", 8192, 4, 160, 48, ["ams3", "nyc3"]),
  { ...size("s-8vcpu-16gb", 16384, 8, 320, 96, ["nyc3"]), available: false },
];
const REGIONS = [
  region("ams3", "Amsterdam 3"),
  region("fra1", "Frankfurt 1"),
  region("nyc3", "New York 3"),
  region("sgp1", "Singapore 1"),
  { ...region("nyc2", "New York 2"), available: false },
];

function size(slug, memory, vcpus, disk, price, regions) {
  const prices = { price_monthly: price, price_hourly: Math.round((price / 672) * 1e5) / 1e5 };
  const rest = { transfer: vcpus, regions, available: true, description: "Basic" };
  return { slug, memory, vcpus, disk, ...prices, ...rest };
}

function region(slug, name) {
  const sizes = SIZES.filter((one) => one.regions.includes(slug)).map((one) => one.slug);
  return { slug, name, sizes, features: ["metadata", "install_agent"], available: true };
}

/** An answer that is an error of the API. */
export class Refusal extends Error {
  constructor(status, id, message, headers = {}) {
    super(message);
    Object.assign(this, { status, id, headers });
  }
}

export const notFound = () =>
  new Refusal(404, "not_found", "The resource you requested could not be found.");
const unprocessable = (message) => new Refusal(422, "unprocessable_entity", message);

export class DigitalOcean {
  settings = {
    ...{ consent: "grant", visible_ms: 0, boot_ms: 1500, linger_ms: 500, action_ms: 500 },
    ...{ droplet_limit: 25, account: "sammy" },
  };
  codes = new Map();
  grants = [];
  droplets = new Map();
  actions = new Map();
  failures = [];
  requests = [];
  counts = { creates: 0, refreshes: 0, refused_refreshes: 0, revocations: 0 };
  lastId = 3164443;

  constructor(settings) {
    Object.assign(this.settings, settings);
  }

  // --- what tests ask of it ---

  state() {
    const { settings, requests, counts } = this;
    const droplets = [...this.droplets.values()].map((one) => {
      return { ...one, status: this.status(one), deleted: one.deleted_at !== undefined };
    });
    return { settings, requests, counts, droplets, grants: this.grants.filter((one) => one.live) };
  }

  control(orders) {
    Object.assign(this.settings, orders.set);
    if (orders.fail) this.failures.push({ times: 1, path: "/", ...orders.fail });
    if (orders.expire_tokens) this.grants.forEach((one) => (one.access_token = undefined));
    if (orders.revoke_grants) this.grants.forEach((one) => (one.live = false));
    const find = (id) => this.droplets.get(id) ?? {};
    if (orders.activate) Object.assign(find(orders.activate), { booted: true, visible: true });
    if (orders.remove) Object.assign(find(orders.remove), { deleted_at: Date.now(), gone: true });
    if (orders.power_off) find(orders.power_off).power = "off";
    if (orders.power_on) find(orders.power_on).power = "active";
    if (orders.deafen) find(orders.deafen).deaf = true;
    if (orders.settle) {
      for (const one of this.droplets.values()) {
        one.visible = true;
        one.gone = one.deleted_at !== undefined;
      }
      this.actions.forEach((action) => this.complete(action));
    }
    return this.state();
  }

  // --- time ---

  passed(since, ms) {
    return ms !== null && Date.now() - since >= ms;
  }

  isVisible(droplet) {
    if (droplet.deleted_at !== undefined) {
      return !droplet.gone && !this.passed(droplet.deleted_at, this.settings.linger_ms);
    }
    return droplet.visible || this.passed(droplet.at, this.settings.visible_ms);
  }

  status(droplet) {
    this.actions.forEach((action) => {
      if (this.passed(action.at, this.settings.action_ms)) this.complete(action);
    });
    const booted = droplet.booted || this.passed(droplet.at, this.settings.boot_ms);
    return booted ? droplet.power : "new";
  }

  complete(action) {
    if (action.status !== "in-progress") return;
    const droplet = this.droplets.get(action.resource_id);
    action.status = "completed";
    action.completed_at = new Date().toISOString();
    if (action.type === "power_on") droplet.power = "active";
    if (action.type === "power_off" || (action.type === "shutdown" && !droplet.deaf)) {
      droplet.power = "off";
    }
  }

  pending(droplet) {
    this.status(droplet);
    return [...this.actions.values()].some(
      (one) => one.resource_id === droplet.id && one.status === "in-progress",
    );
  }

  // --- OAuth ---

  authorize(query, redirect) {
    const back = (fields) => {
      const url = new URL(query.get("redirect_uri"));
      if (query.has("state")) fields.state = query.get("state");
      for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
      return redirect(url.href);
    };
    const consent = query.get("consent") ?? this.settings.consent;
    if (query.get("response_type") !== "code" || !query.get("client_id")) {
      throw new Refusal(400, "invalid_request", "The request is missing a required parameter.");
    }
    if (consent === "ask") return undefined;
    if (consent === "deny") {
      const error_description = "The resource owner or authorization server denied the request.";
      return back({ error: "access_denied", error_description });
    }
    const code = randomBytes(32).toString("hex");
    const { account } = this.settings;
    this.codes.set(code, { redirect_uri: query.get("redirect_uri"), account });
    if (this.codes.size > MAX_TOKENS) this.codes.delete(this.codes.keys().next().value);
    return back({ code });
  }

  grant(account) {
    const grant = {
      ...{ account, live: true },
      access_token: `doo_v1_${randomBytes(32).toString("hex")}`,
      refresh_token: `dor_v1_${randomBytes(32).toString("hex")}`,
    };
    this.grants = [...this.grants.filter((one) => one.live), grant].slice(-MAX_TOKENS);
    const { email, uuid, name, team } = accountOf(account);
    const info = { name, email, uuid, team_uuid: team.uuid, team_name: team.name };
    const { access_token, refresh_token } = grant;
    const token = { access_token, token_type: "bearer", expires_in: 2592000, refresh_token };
    return { ...token, scope: "read write", info };
  }

  token(form) {
    const code = this.codes.get(form.get("code"));
    this.codes.delete(form.get("code"));
    const fits =
      form.get("grant_type") === "authorization_code" &&
      form.get("client_secret") &&
      code?.redirect_uri === form.get("redirect_uri");
    if (!fits) throw new Refusal(400, "invalid_grant");
    return this.grant(code.account);
  }

  refresh(form) {
    this.counts.refreshes += 1;
    const wanted = form.get("refresh_token");
    const old = this.grants.find((one) => one.live && one.refresh_token === wanted);
    if (!old || form.get("grant_type") !== "refresh_token") {
      this.counts.refused_refreshes += 1;
      throw new Refusal(400, "invalid_grant");
    }
    old.live = false;
    return this.grant(old.account);
  }

  revoke(form, account) {
    const grant = this.grants.find((one) => one.live && one.access_token === form.get("token"));
    if (!grant || grant.account !== account) throw new Refusal(400, "invalid_request");
    grant.live = false;
    this.counts.revocations += 1;
    return {};
  }

  account(headers) {
    const bearer = (headers.authorization ?? "").replace(/^Bearer /, "");
    const grant = this.grants.find((one) => one.live && bearer && one.access_token === bearer);
    if (!grant) throw new Refusal(401, "unauthorized", "Unable to authenticate you");
    return grant.account;
  }

  // --- droplets ---

  create(account, wanted) {
    const { name, region: slug, size: wantedSize, image, tags = [], user_data = "" } = wanted;
    const found = SIZES.find((one) => one.slug === wantedSize);
    const place = REGIONS.find((one) => one.slug === slug);
    if (typeof name !== "string" || !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(name)) {
      const allowed = "Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)";
      throw unprocessable(allowed);
    }
    if (!place) throw unprocessable("You specified an invalid region for Droplet creation.");
    if (!found) throw unprocessable("You specified an invalid size for Droplet creation.");
    if (!found.available || !found.regions.includes(slug)) {
      throw unprocessable("Size is not available in this region.");
    }
    if (!/^(ubuntu|debian)-[0-9-]+x64$/.test(image)) {
      throw unprocessable("You specified an invalid image for Droplet creation.");
    }
    if (user_data.length > MAX_USER_DATA) throw unprocessable("User data is too long.");
    if (tags.some((tag) => !/^[\w:-]{1,255}$/.test(tag))) throw unprocessable("Invalid tag name.");
    const mine = [...this.droplets.values()].filter((one) => {
      return one.account === account && one.deleted_at === undefined;
    });
    if (mine.length >= Math.min(this.settings.droplet_limit, MAX_DROPLETS)) {
      throw unprocessable("creating this/these droplet(s) will exceed your droplet limit");
    }
    const id = (this.lastId += 1);
    this.counts.creates += 1;
    const droplet = { id, account, name, region: slug, size: wantedSize, image, tags, user_data };
    this.droplets.set(id, { ...droplet, power: "active", at: Date.now() });
    if (this.droplets.size > MAX_DROPLETS) this.droplets.delete(this.droplets.keys().next().value);
    return { droplet: this.show(this.droplets.get(id)), links: { actions: [] } };
  }

  show(droplet) {
    const { id, name, tags, image } = droplet;
    const status = this.status(droplet);
    const { memory, vcpus, disk } = SIZES.find((one) => one.slug === droplet.size);
    const v4 = status === "new" ? [] : addresses(id);
    const place = REGIONS.find((one) => one.slug === droplet.region);
    return {
      ...{ id, name, memory, vcpus, disk, locked: this.pending(droplet), status, tags },
      ...{ created_at: new Date(droplet.at).toISOString(), features: [], volume_ids: [] },
      ...{ image: { slug: image }, size_slug: droplet.size, region: place, networks: { v4, v6: [] } },
    };
  }

  find(account, id) {
    const droplet = this.droplets.get(Number(id));
    if (!droplet || droplet.account !== account || !this.isVisible(droplet)) throw notFound();
    return droplet;
  }

  list(account, query) {
    const name = query.get("name")?.toLowerCase();
    const tag = query.get("tag_name");
    const fits = (one) =>
      one.account === account &&
      this.isVisible(one) &&
      (!name || one.name.toLowerCase() === name) &&
      (!tag || one.tags.includes(tag));
    const all = [...this.droplets.values()].filter(fits).map((one) => this.show(one));
    return page("droplets", all, query);
  }

  remove(account, id) {
    const droplet = this.find(account, id);
    if (droplet.deleted_at !== undefined) throw notFound();
    if (this.pending(droplet)) throw unprocessable("Droplet already has a pending event.");
    droplet.deleted_at = Date.now();
  }

  act(account, id, { type }) {
    const droplet = this.find(account, id);
    if (!["power_on", "power_off", "shutdown"].includes(type)) {
      throw unprocessable("Type is not included in the list");
    }
    if (this.pending(droplet)) throw unprocessable("Droplet already has a pending event.");
    const off = this.status(droplet) === "off";
    if (type === "power_on" && !off) throw unprocessable("Droplet is already powered on.");
    if (type !== "power_on" && off) throw unprocessable("Droplet is already powered off.");
    const action = {
      ...{ id: 36804636 + this.actions.size, status: "in-progress", type, at: Date.now() },
      ...{ started_at: new Date().toISOString(), completed_at: null },
      ...{ resource_id: droplet.id, resource_type: "droplet", region_slug: droplet.region },
    };
    if (this.actions.size < MAX_LOG) this.actions.set(action.id, action);
    return { action };
  }

  /** What API v2 answers: a status and a body. */
  answer(method, path, query, headers, body) {
    const account = this.account(headers);
    const [collection, id, sub, ...rest] = path.slice("/v2/".length).split("/");
    if (rest.length) throw notFound();
    switch (`${method} ${collection}${id ? "/:id" : ""}${sub ? `/${sub}` : ""}`) {
      case "GET account":
        return [200, { account: { ...accountOf(account), droplet_limit: 25, status: "active" } }];
      case "GET regions":
        return [200, page("regions", REGIONS, query)];
      case "GET sizes":
        return [200, page("sizes", SIZES, query)];
      case "GET droplets":
        return [200, this.list(account, query)];
      case "POST droplets":
        return [202, this.create(account, json(body))];
      case "GET droplets/:id":
        return [200, { droplet: this.show(this.find(account, id)) }];
      case "DELETE droplets/:id":
        return [204, this.remove(account, id)];
      case "POST droplets/:id/actions":
        return [201, this.act(account, id, json(body))];
      default:
        throw notFound();
    }
  }

  /** The failure that was ordered for a request, if any. */
  failure(method, path) {
    const fits = (one) => path.startsWith(one.path) && (!one.method || one.method === method);
    const failure = this.failures.find(fits);
    if (!failure) return undefined;
    failure.times -= 1;
    if (failure.times <= 0) this.failures.splice(this.failures.indexOf(failure), 1);
    return failure;
  }
}

function accountOf(name) {
  const uuid = Buffer.from(name.padEnd(16, "-")).toString("hex").slice(0, 32);
  const team = { uuid: `team-${uuid}`, name: "My Team" };
  return { uuid, email: `${name}@example.com`, name, email_verified: true, team };
}

function addresses(id) {
  const last = id % 250;
  return [
    { ip_address: `10.114.0.${last}`, netmask: "255.255.240.0", gateway: "", type: "private" },
    { ip_address: `203.0.113.${last}`, netmask: "255.255.255.0", gateway: "203.0.113.1", type: "public" },
  ];
}

function page(key, all, query) {
  const size = Math.min(Number(query.get("per_page") ?? 20) || 20, 200);
  const first = (Math.max(Number(query.get("page") ?? 1), 1) - 1) * size;
  return { [key]: all.slice(first, first + size), links: {}, meta: { total: all.length } };
}

export function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, "bad_request", "error parsing request body");
  }
}
