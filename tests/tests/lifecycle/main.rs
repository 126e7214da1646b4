//! From the pasted line to the last trace: real releases on clean machines, each with its systemd.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::machine::Machine;
use integration::root::{BOOKWORM, NOBLE, TRIXIE};

#[test]
fn boots() {
    for recipe in [&BOOKWORM, &TRIXIE, &NOBLE] {
        let start = std::time::Instant::now();
        let mut machine = Machine::boot(recipe);
        println!("{} up {:?}", recipe.name, start.elapsed());
        println!("{}", machine.run("systemctl --version | head -1; id; ls /run/user; systemctl list-units --state=running --no-legend; cat /proc/self/cgroup; getent hosts deb.debian.org; mount | grep -E 'cgroup|tmp'").text);
        machine.reboot();
        println!("{} rebooted {:?}", recipe.name, start.elapsed());
        for entry in std::fs::read_dir(machine.upper()).unwrap() {
            println!("{:?}", entry.unwrap().path());
        }
    }
}
