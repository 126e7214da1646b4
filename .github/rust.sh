#!/bin/sh
# Installs rustup and the toolchain that rust-toolchain.toml names, for the steps that follow.
set -eu

curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
    sh -s -- -y --no-modify-path --profile minimal --default-toolchain none
PATH=$HOME/.cargo/bin:$PATH
echo "$HOME/.cargo/bin" >>"$GITHUB_PATH"
# Asking for it installs it, also where rustup does not do so by itself.
rustup toolchain install "$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)" \
    --profile minimal --component rustfmt --component clippy --no-self-update
rustc --version
