//! `dev`: builds everything, runs it on this machine and prints one URL.
//!
//! State lies in `.chatcode/` and survives: the control plane's database, the gateway's token, the
//! workspace. Sessions live in a tmux server of their own and survive as well.

use crate::api::Api;
use crate::needs::{self, modified};
use crate::run::{self, Beside, eventually, run};
use crate::steps::Steps;
use crate::{Result, at_root, build_worker};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

/// The port that is tried first.
pub const PORT: u16 = 8787;

/// How many ports after the wanted one are tried.
const PORTS: u16 = 50;

/// Who the gateway belongs to.
const EMAIL: &str = "dev@chatcode.localhost";

/// The tmux socket of the development gateway.
const TMUX_SOCKET: &str = "chatcode-dev";

/// How long the control plane and the gateway may take to start.
const START: Duration = Duration::from_secs(60);

/// Time between two looks at what runs.
const WATCH: Duration = Duration::from_millis(100);

/// Lines of a log that explain why its program died.
const LAST_WORDS: usize = 15;

/// Builds and runs everything until Ctrl-C.
///
/// # Errors
/// What is missing, did not build, did not start or died.
pub fn dev(wanted: u16) -> Result<()> {
    let root = run::root()?;
    let mut steps = Steps::default();
    steps.need("check what is needed", || {
        needs::node(&root)?;
        needs::programs(needs::TO_RUN)
    })?;
    build(&mut steps, &root)?;

    let interrupted = run::interruption()?;
    let place = Place::new(&root)?;
    let port = free_port(wanted)?;
    let mut control_plane = steps.need("start the control plane", || {
        ControlPlane::start(&root, &place, port, &interrupted)
    })?;
    let origin = control_plane.origin.clone();
    let mut gateway = steps.need("start the gateway", || {
        let api = Api::sign_in(&origin, EMAIL)?;
        let credentials = enrol(&api, &place)?;
        let mut gateway = start_gateway(&root, &place, &origin, &credentials)?;
        wait_until_online(&api, &credentials, &mut gateway, &place, &interrupted)?;
        Ok(gateway)
    })?;

    println!("\n  chatcode runs at  {origin}");
    println!("  sign in as        {EMAIL}");
    println!("  logs              {}", place.relative("logs"));
    println!("  Ctrl-C ends it; sessions go on in tmux -L {TMUX_SOCKET}\n");
    let result = watch(&mut [&mut gateway, &mut control_plane.process], &place, &interrupted);
    println!("\n▸ ending the gateway and the control plane");
    drop(gateway);
    drop(control_plane);
    result
}

fn build(steps: &mut Steps, root: &Path) -> Result<()> {
    steps.need("build the gateway", || {
        run(run::cargo(root).args(["build", "--quiet", "--package", "chatcode-gateway"]))
    })?;
    steps.need("build the control plane", || build_worker::build(false).map(drop))?;
    steps.need("build the web app", || build_web(root))
}

/// Builds the web app when a source is newer than what was built.
///
/// # Errors
/// When the build fails.
pub fn build_web(root: &Path) -> Result<()> {
    let web = root.join("cp-worker/web");
    let built = modified(&web.join("dist/index.html"));
    let inputs = ["src", "public", "scripts", "index.html", "package.json", "vite.config.ts"];
    let newest = inputs.iter().filter_map(|name| newest(&web.join(name))).max();
    if built.is_some() && built >= newest && built >= modified(&root.join("package-lock.json")) {
        println!("  up to date");
        return Ok(());
    }
    run(at_root("npm")?.args([
        "run",
        "--silent",
        "build",
        "--workspace",
        "web",
        "--",
        "--logLevel",
        "warn",
    ]))
}

/// When a file, or the newest file in a folder, was last written.
fn newest(path: &Path) -> Option<SystemTime> {
    let Ok(entries) = fs::read_dir(path) else { return modified(path) };
    // The folder's own time tells of removed files.
    let files = entries.flatten().filter_map(|entry| newest(&entry.path()));
    files.chain(modified(path)).max()
}

/// Where a development run keeps its state.
struct Place {
    folder: PathBuf,
}

/// What a gateway needs to sign in.
struct Credentials {
    gateway_id: String,
    bootstrap_token: String,
}

impl Place {
    fn new(root: &Path) -> Result<Self> {
        let place = Self { folder: root.join(".chatcode") };
        for name in ["control-plane", "gateway", "workspace", "logs"] {
            fs::create_dir_all(place.join(name))?;
        }
        Ok(place)
    }

    fn join(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn relative(&self, name: &str) -> String {
        format!(".chatcode/{name}")
    }

    fn log(&self, program: &str) -> Result<File> {
        Ok(File::create(self.log_path(program))?)
    }

    fn log_path(&self, program: &str) -> PathBuf {
        self.join("logs").join(format!("{program}.log"))
    }

    fn credentials(&self) -> Option<Credentials> {
        let text = fs::read_to_string(self.join("gateway.json")).ok()?;
        let value: Value = serde_json::from_str(&text).ok()?;
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Some(Credentials {
            gateway_id: text("gateway_id")?,
            bootstrap_token: text("bootstrap_token")?,
        })
    }

    fn keep(&self, credentials: &Credentials) -> Result<()> {
        let value = json!({
            "gateway_id": credentials.gateway_id,
            "bootstrap_token": credentials.bootstrap_token,
        });
        let path = self.join("gateway.json");
        let mut file = fs::OpenOptions::new();
        // The token is a secret of whoever runs this.
        let mut file = file.write(true).create(true).truncate(true).mode(0o600).open(path)?;
        Ok(file.write_all(value.to_string().as_bytes())?)
    }
}

fn free_port(wanted: u16) -> Result<u16> {
    let last = wanted.saturating_add(PORTS);
    (wanted..=last)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .ok_or_else(|| format!("ports {wanted} to {last} are all taken").into())
}

struct ControlPlane {
    process: Beside,
    origin: String,
}

impl ControlPlane {
    fn start(root: &Path, place: &Place, port: u16, interrupted: &AtomicBool) -> Result<Self> {
        let mut command = Command::new("node");
        command
            .current_dir(root)
            .arg("cp-worker/miniflare.mjs")
            .args(["--port", &port.to_string(), "--state"])
            .arg(place.join("control-plane"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(place.log("control-plane")?);
        let mut process = Beside::start("control-plane", &mut command)?;
        let lines = lines_of(&mut process)?;
        let origin = eventually("the control plane is ready", START, interrupted, || {
            if process.ended().is_some() {
                return Err(last_words(place, "control-plane").into());
            }
            let line = lines.try_recv().ok();
            let ready: Option<Value> = line.and_then(|line| serde_json::from_str(&line).ok());
            Ok(ready.and_then(|value| value["url"].as_str().map(str::to_owned)))
        })?;
        // What it says later is for the terminal: mails, which nobody sends here.
        std::thread::spawn(move || lines.iter().for_each(|line| println!("{line}")));
        Ok(Self { process, origin: origin.trim_end_matches('/').to_owned() })
    }
}

/// The lines that a program prints, read in a thread so that it never blocks on us.
fn lines_of(process: &mut Beside) -> Result<mpsc::Receiver<String>> {
    let output = process.child().stdout.take().ok_or("no pipe")?;
    let (found, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(|line| line.ok()) {
            let _ = found.send(line);
        }
    });
    Ok(lines)
}

/// The gateway of the last run if the control plane still knows it, else a new one.
fn enrol(api: &Api, place: &Place) -> Result<Credentials> {
    let servers = api.servers()?;
    if let Some(known) = place.credentials() {
        let server = servers.iter().find(|server| server["gateway_id"] == *known.gateway_id);
        let kept_token = fs::read_dir(place.join("gateway"))?.next().is_some();
        match server {
            // A bootstrap token expires: what never came online starts again.
            Some(server) if server["status"] == "pending" && !kept_token => {
                api.remove_server(&known.gateway_id)?;
            }
            Some(_) => return Ok(known),
            None => {}
        }
    }
    // The token of a gateway that is gone would be refused.
    fs::remove_dir_all(place.join("gateway"))?;
    fs::create_dir_all(place.join("gateway"))?;
    let (gateway_id, bootstrap_token) = api.add_server("This machine")?;
    let credentials = Credentials { gateway_id, bootstrap_token };
    place.keep(&credentials)?;
    Ok(credentials)
}

fn start_gateway(
    root: &Path,
    place: &Place,
    origin: &str,
    credentials: &Credentials,
) -> Result<Beside> {
    let url = format!("{}/gateway", origin.replacen("http", "ws", 1));
    let mut command = Command::new(run::target(root).join("debug/chatcode-gateway"));
    command
        .arg("run")
        .current_dir(root)
        .env("GATEWAY_ID", &credentials.gateway_id)
        .env("GATEWAY_BOOTSTRAP_TOKEN", &credentials.bootstrap_token)
        .env("GATEWAY_CP_URL", url)
        .env("GATEWAY_WORKSPACE", place.join("workspace"))
        .env("GATEWAY_STATE_DIR", place.join("gateway"))
        .env("GATEWAY_TMUX_SOCKET", TMUX_SOCKET)
        .env("GATEWAY_LOG_FORMAT", "text")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(place.log("gateway")?);
    Beside::start("gateway", &mut command)
}

fn wait_until_online(
    api: &Api,
    credentials: &Credentials,
    gateway: &mut Beside,
    place: &Place,
    interrupted: &AtomicBool,
) -> Result<()> {
    eventually("the gateway is online", START, interrupted, || {
        if gateway.ended().is_some() {
            return Err(last_words(place, "gateway").into());
        }
        let servers = api.servers()?;
        let ours = servers.iter().find(|it| it["gateway_id"] == *credentials.gateway_id);
        Ok(ours.filter(|server| server["status"] == "online").map(drop))
    })
}

/// Waits for Ctrl-C; a program that dies before ends the run.
fn watch(programs: &mut [&mut Beside], place: &Place, interrupted: &AtomicBool) -> Result<()> {
    while !interrupted.load(Ordering::Relaxed) {
        for program in programs.iter_mut() {
            if let Some(status) = program.ended() {
                let name = program.name();
                return Err(format!("{status}: {}", last_words(place, name)).into());
            }
        }
        std::thread::sleep(WATCH);
    }
    Ok(())
}

fn last_words(place: &Place, program: &str) -> String {
    let log = fs::read_to_string(place.log_path(program)).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    let tail = lines.iter().skip(lines.len().saturating_sub(LAST_WORDS));
    let words = tail.map(|line| format!("\n  {line}")).collect::<String>();
    format!("the {program} died; its last words, from .chatcode/logs/{program}.log:{words}")
}
