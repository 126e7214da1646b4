#!/bin/sh
# Installs or updates one agent from npm, for this user alone and without root.
# Arguments: agent, program, package, the oldest major version of Node that it needs.
#
# Every installation is a folder of its own, and the last step moves the link in ~/.local/bin to it.
# So an interrupted one is never taken for installed, and sessions that still run the version before
# keep its files. npm's own settings (registry, proxy, cache) are the user's and stay in force.
set -u
agent=$1
program=$2
package=$3
node_needed=$4

home=${XDG_DATA_HOME:-$HOME/.local/share}/chatcode/agents
link=$HOME/.local/bin/$program
new=
ticker=

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

clean_up() {
    [ -z "$ticker" ] || kill "$ticker" 2>/dev/null
    [ -z "$new" ] || [ -f "$new/complete" ] || rm -rf "$new"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
# When nobody reads any more, cleaning up goes on all the same.
trap : PIPE

how_to_get_node() {
    if [ "$(uname -s)" = Darwin ]; then
        echo 'On macOS: brew install node (see https://brew.sh), or the installer from https://nodejs.org'
    elif command -v apt-get >/dev/null 2>&1; then
        echo 'On Debian and Ubuntu: curl -fsSL https://deb.nodesource.com/setup_22.x | sudo -E bash - && sudo apt-get install -y nodejs'
    else
        echo 'Install Node.js 22 or later, with npm, from your distribution or from https://nodejs.org'
    fi
}

need_node() {
    for needed in node npm; do
        command -v "$needed" >/dev/null 2>&1 ||
            fail "$needed was not found, and $agent needs Node.js $node_needed or later with npm. $(how_to_get_node)"
    done
    major=$(node -p 'process.versions.node.split(".")[0]') || fail 'node does not start.'
    [ "$major" -ge "$node_needed" ] ||
        fail "$agent needs Node.js $node_needed or later; here is $(node --version). $(how_to_get_node)"
}

# The link's target, which is the version before. What others put there is not ours to replace.
previous() {
    [ -e "$link" ] || [ -L "$link" ] || return 0
    target=$(readlink "$link")
    case $target in
    "$home/$agent".*) printf '%s' "${target%/node_modules/*}" ;;
    *) fail "$link was not installed by chatcode: update it as it came, or remove it and try again." ;;
    esac
}

# Removes what interrupted installations left, and with arguments all but these folders.
remove_old() {
    for folder in "$home/$agent".*; do
        [ -d "$folder" ] || continue
        if [ $# -eq 0 ]; then
            [ -f "$folder/complete" ] || rm -rf "$folder"
        elif [ "$folder" != "$1" ] && [ "$folder" != "$2" ]; then
            rm -rf "$folder"
        fi
    done
}

# npm is silent while it unpacks a large file; this tells that it goes on. When the gateway's child
# is gone nobody would hear how it ends, and all of it stops.
tell_size() {
    seen=0
    while sleep 3; do
        kill -0 "$PPID" 2>/dev/null || kill 0
        size=$(($(du -sk "$new" 2>/dev/null | cut -f 1) / 1024))
        [ "$size" = "$seen" ] || echo "$size MB so far"
        seen=$size
    done
}

need_node
old=$(previous) || exit 1
mkdir -p "$home" "$HOME/.local/bin" || fail "cannot make $home and $HOME/.local/bin"
remove_old
new=$(mktemp -d "$home/$agent.XXXXXX") || fail "cannot make a folder in $home"
cd "$new" || fail "cannot enter $new"

echo "npm installs $package"
tell_size &
ticker=$!
npm install --prefix "$new" --global=false --include=optional --no-save --no-audit --no-fund \
    --no-update-notifier --loglevel=http "$package@latest" </dev/null ||
    fail "npm could not install $package (exit code $?)."

"$new/node_modules/.bin/$program" --version </dev/null ||
    fail "$package was installed, but $program does not start."
: >"$new/complete" || fail "cannot write to $new"

{ ln -s "$new/node_modules/.bin/$program" "$link.$$" && mv -f "$link.$$" "$link"; } ||
    fail "cannot write $link"
remove_old "$new" "$old"
