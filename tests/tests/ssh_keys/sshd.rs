//! A real sshd on loopback with a home of its own, and keys that try to log in.

use integration::process::Running;
use integration::tempdir::TempDir;
use integration::{PATIENCE, eventually};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where Debian's sshd lies; elsewhere it is looked up.
const SSHD: &str = "/usr/sbin/sshd";

/// Where sshd locks its helper processes in when it is started by root. Its package's own folder.
const PRIVILEGE_SEPARATION: &str = "/run/sshd";

/// Times that another port is tried because somebody was faster.
const PORTS: usize = 5;

/// A home whose keys an sshd lets in.
pub struct Host {
    /// Where `.ssh` is, or will be.
    pub home: TempDir,
    place: TempDir,
    port: u16,
    _sshd: Running,
}

/// A key pair of a person.
pub struct Pair {
    private: PathBuf,
    /// The line of its `.pub` file.
    pub public: String,
    /// As `ssh-keygen -lf` prints it.
    pub fingerprint: String,
}

impl Host {
    /// Starts it. The home is empty.
    pub fn start() -> Self {
        let (home, place) = (TempDir::in_home(), TempDir::new());
        if rustix::process::geteuid().is_root() {
            std::fs::create_dir_all(PRIVILEGE_SEPARATION).expect("sshd's folder");
        }
        let key = place.join("host_key");
        keygen(&["-q", "-t", "ed25519", "-N", "", "-f", &key.to_string_lossy()]);
        for _ in 0..PORTS {
            let port = free_port();
            let config = place.join("sshd_config");
            std::fs::write(&config, configuration(port, &key, home.path())).expect("written");
            let log = std::fs::File::create(place.join("log")).expect("a log");
            let mut command = Command::new(sshd());
            command.args(["-D", "-e", "-f"]).arg(&config).stdin(Stdio::null()).stderr(log);
            let mut sshd = Running::start(&mut command);
            let listens = eventually("sshd listens or gives up", PATIENCE, || {
                let connected = TcpStream::connect(("127.0.0.1", port)).is_ok();
                (connected || !sshd.is_running()).then_some(connected)
            });
            if listens && sshd.is_running() {
                return Self { home, place, port, _sshd: sshd };
            }
        }
        panic!("sshd does not start: {}", std::fs::read_to_string(place.join("log")).unwrap());
    }

    /// `authorized_keys`, and nothing when there is none.
    pub fn file(&self) -> Vec<u8> {
        std::fs::read(self.path()).unwrap_or_default()
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.home.join(".ssh/authorized_keys")
    }

    /// A new key pair; `arguments` choose its kind.
    pub fn pair(&self, name: &str, arguments: &[&str]) -> Pair {
        let private = self.place.join(name);
        let path = private.to_string_lossy().into_owned();
        keygen(&[&["-q", "-N", "", "-C", "who@where", "-f", &path], arguments].concat());
        let public = std::fs::read_to_string(private.with_extension("pub")).expect("a .pub file");
        let public = public.trim_end().to_owned();
        let printed = keygen(&["-lf", &path]);
        let fingerprint = printed.split(' ').nth(1).expect("a fingerprint").to_owned();
        Pair { private, public, fingerprint }
    }

    /// Where the pair's private half is.
    pub fn private_key<'a>(&self, pair: &'a Pair) -> &'a Path {
        &pair.private
    }

    /// Whether the key's owner gets in.
    pub fn lets_in(&self, pair: &Pair) -> bool {
        let mut ssh = Command::new("ssh");
        ssh.args(["-F", "none", "-T", "-p", &self.port.to_string(), "-i"]).arg(&pair.private);
        for option in [
            "BatchMode=yes",
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
        ] {
            ssh.args(["-o", option]);
        }
        let output = ssh.args([&format!("{}@127.0.0.1", user()), "echo", "in"]).output();
        let output = output.expect("ssh runs");
        let said = String::from_utf8_lossy(&output.stderr);
        if output.stdout == b"in\n" {
            return true;
        }
        assert!(said.contains("Permission denied"), "{said}\n{}", self.log());
        false
    }

    /// What sshd said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.place.join("log")).unwrap_or_default()
    }
}

fn configuration(port: u16, host_key: &Path, home: &Path) -> String {
    let (key, home) = (host_key.display(), home.display());
    format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {key}\nPidFile none\nStrictModes yes\n\
         AuthorizedKeysFile {home}/.ssh/authorized_keys\nPubkeyAuthentication yes\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\n\
         PermitRootLogin prohibit-password\nLogLevel VERBOSE\n"
    )
}

fn sshd() -> PathBuf {
    // It insists on being called by its whole path.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("sshd"));
    found.into_iter().find(|path| path.is_file()).unwrap_or_else(|| SSHD.into())
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

fn user() -> String {
    let output = Command::new("id").arg("-un").output().expect("id runs");
    String::from_utf8(output.stdout).expect("a name").trim().to_owned()
}

fn keygen(arguments: &[&str]) -> String {
    let output = Command::new("ssh-keygen").args(arguments).output().expect("ssh-keygen runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}
