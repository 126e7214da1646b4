//! What is refused, and what two runs give.

use super::*;

#[test]
fn a_base_url_is_https_and_plain() {
    for (text, wanted) in [
        ("https://example.com", "https://example.com"),
        ("https://example.com/releases//", "https://example.com/releases"),
        ("https://[::1]:8443/r", "https://[::1]:8443/r"),
    ] {
        assert_eq!(base_url(text).expect(text), wanted);
    }
    for wrong in [
        "",
        "https://",
        "https:///r",
        "http://example.com",
        "example.com",
        "file:///r",
        "https://a@example.com",
        "https://example.com/?q",
        "https://example.com/#f",
        "https://example.com/a b",
        "https://example.com/\"",
        "https://example.com/\u{e4}",
    ] {
        assert!(base_url(wrong).is_err(), "{wrong}");
    }
}

/// A repository of one commit.
fn repository(folder: &Path) {
    for arguments in [
        &["init", "-q"][..],
        &["-c", "user.name=x", "-c", "user.email=ada@example.com", "commit", "-q"],
    ] {
        let mut git = Command::new("git");
        git.current_dir(folder).args(arguments);
        if arguments.contains(&"commit") {
            git.args(["--allow-empty", "-m", "one"]);
        }
        assert!(git.status().expect("git runs").success(), "{arguments:?}");
    }
}

#[test]
fn what_must_not_be_released_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (root, out) = (folder.path().join("root"), folder.path().join("out"));
    fs::create_dir_all(&root).expect("made");
    fs::create_dir_all(&out).expect("made");
    repository(&root);
    let key = folder.path().join("key");
    Key::throw_away(&key).expect("a key");
    let made = |change: &dyn Fn(&mut Words)| {
        let mut words = Words {
            version: Some("99.0.0".to_owned()),
            base_url: Some("https://example.com/r".to_owned()),
            key: Some(key.clone()),
            out: Some(out.clone()),
            ..Words::default()
        };
        change(&mut words);
        plan(&root, words).map(drop).map_err(|error| error.to_string())
    };
    let refused = |change: &dyn Fn(&mut Words)| made(change).expect_err("refused");
    assert_eq!(made(&|_| ()), Ok(()));
    assert!(refused(&|words| words.version = None).contains("--version"));
    assert!(refused(&|words| words.version = Some("1.2".to_owned())).contains("x.y.z"));
    assert!(refused(&|words| words.base_url = None).contains("--base-url"));
    assert!(refused(&|words| words.base_url = Some("http://h".to_owned())).contains("https"));
    assert!(refused(&|words| words.key = None).contains("--key"));
    assert!(refused(&|words| words.key = Some("/no/key".into())).contains("/no/key"));
    let there = manifest::Whole::new("99.0.0", [].into()).text().expect("a manifest");
    fs::write(out.join("manifest.json"), there).expect("written");
    assert!(refused(&|_| ()).contains("99.0.0 is released already"));
    assert!(refused(&|words| words.version = Some("9.9.9".to_owned())).contains("99.0.0"));
    assert_eq!(made(&|words| words.version = Some("99.0.1".to_owned())), Ok(()));
    fs::write(root.join("file"), "").expect("written");
    let said = refused(&|words| words.version = Some("99.0.1".to_owned()));
    assert!(said.contains("not committed"), "{said}");
}

#[test]
fn two_runs_of_one_commit_differ_in_signatures_alone() {
    let root = run::root().expect("the repository");
    let folder = tempfile::tempdir().expect("a folder");
    let target = TARGETS.first().expect("a target");
    let name = format!("chatcode-gateway-{}", target.triple);
    for file in [name.clone(), format!("{name}.debug"), "it.deb".to_owned()] {
        fs::write(folder.path().join(&file), format!("this is {file}")).expect("written");
    }
    let made = ["one", "two"].map(|out| {
        let plan = Plan {
            version: Version::new(99, 1, 2),
            base_url: "https://example.com/r".to_owned(),
            key: Key::throw_away(&folder.path().join("key")).expect("a key"),
            targets: vec![target],
            dist: None,
            out: folder.path().join(out),
            source: source::look(&root).expect("a commit"),
            is_trial: true,
        };
        let binaries = binaries::collect(folder.path(), [target]).expect("there");
        lay_out(&root, &plan, &binaries, &[folder.path().join("it.deb")]).expect("laid out");
        plan.out
    });
    let [one, two] = made.each_ref().map(|out| layout::files(out).expect("files"));
    assert_eq!(one, two);
    let differing = dry_run::differing(&made[0], &made[1]).expect("read");
    assert!(differing.iter().all(|file| file.ends_with(".minisig")), "{differing:?}");
    let read = |file: &str| fs::read_to_string(made[0].join(file)).expect(file);
    let sums = read("v99.1.2/SHA256SUMS");
    for file in [name.as_str(), "it.deb", sbom::FILE, provenance::FILE] {
        let text = read(&format!("v99.1.2/{file}"));
        let line = format!("{}  {file}\n", sums::sha256(text.as_bytes()));
        assert!(sums.contains(&line), "{file}");
        let home = std::env::var("HOME").expect("a home");
        assert!(!text.contains(&*root.to_string_lossy()) && !text.contains(&home), "{file}");
    }
    let manifest: Value =
        serde_json::from_str(&read(&format!("{}/manifest.json", target.triple))).expect("JSON");
    assert_eq!(manifest["url"], format!("https://example.com/r/v99.1.2/{name}"));
    assert_eq!(manifest["sha256"], sums::sha256(format!("this is {name}").as_bytes()));
    let bill: Value = serde_json::from_str(&read("v99.1.2/sbom.cdx.json")).expect("JSON");
    let find = |name: &str| {
        let components = bill["components"].as_array().expect("components");
        components.iter().find(|component| component["name"] == name).cloned()
    };
    let ring = find("ring").expect("ring is linked");
    assert_eq!(ring["scope"], "required");
    assert_eq!(ring["licenses"][0]["expression"], "Apache-2.0 AND ISC");
    assert_eq!(ring["hashes"][0]["content"].as_str().map(str::len), Some(64));
    assert_eq!(find("cc").expect("cc builds ring")["scope"], "excluded");
    assert!(find("protocol").expect("ours").get("purl").is_none(), "not the registry's");
    assert!(find("serde_json").is_none(), "only tests use it");
}
