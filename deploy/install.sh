#!/bin/sh
# Installs the chatcode gateway on this machine, or renews it. The line comes from a server's page:
#
#   curl -fsSL @ORIGIN@/install.sh | sh -s -- GATEWAY_ID TOKEN
#
# Everything is in functions, and the last line calls the first one: half a script does nothing.
set -eu

ORIGIN='@ORIGIN@'
NAME=chatcode-gateway

# Seconds within which the gateway must have enrolled.
PATIENCE=45
# Bytes of the largest binary that is taken.
MOST_BYTES=16777216

usage() {
    cat <<EOF
usage: sh -s -- GATEWAY_ID TOKEN [--dry-run] [--no-service] [--run-as NAME]

  --dry-run       say what would be done, and do nothing
  --no-service    start the gateway in the background, where no service manager runs
  --run-as NAME   as root: whose sessions these are (who called sudo, else a new user vibe)

CHATCODE_BINARY=/path takes the gateway's binary from there instead of downloading it.
EOF
}

say() { printf '%s\n' "$*"; }

fail() {
    printf 'chatcode: %s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

main() {
    read_words "$@"
    find_platform
    find_owner
    find_places
    find_manager
    find_tmux
    find_source
    find_enrolment
    tell_plan
    if [ "$dry_run" = yes ]; then
        say 'Nothing was done.'
        return
    fi
    make_owner
    install_tmux
    # A transfer that breaks off leaves nothing behind.
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    trap 'exit 1' HUP INT TERM
    fetch_binary
    place_binary
    write_settings
    start_gateway
    wait_until_online
}

read_words() {
    gateway_id='' token='' dry_run=no service=yes run_as=''
    while [ $# -gt 0 ]; do
        case $1 in
        --dry-run) dry_run=yes ;;
        --no-service) service=no ;;
        --run-as)
            [ $# -ge 2 ] || fail '--run-as needs the name of a user'
            run_as=$2
            shift
            ;;
        --help)
            usage
            exit 0
            ;;
        -*) fail "there is no option $1; --help lists them" ;;
        *)
            if [ -z "$gateway_id" ]; then
                gateway_id=$1
            elif [ -z "$token" ]; then
                token=$1
            else
                fail 'there is a word too many; copy the line from the server'\''s page as it is'
            fi
            ;;
        esac
        shift
    done
    if ! is_plain "$gateway_id" || ! is_plain "$token"; then
        fail 'the line is incomplete; copy it from the server'\''s page as it is'
    fi
    [ -z "$run_as" ] || is_user "$run_as" || fail '--run-as is the name of a user, not of root'
    have curl || fail 'curl is needed'
}

is_plain() {
    case $1 in
    '' | *[!A-Za-z0-9_-]*) return 1 ;;
    esac
}

is_user() {
    case $1 in
    '' | root | -* | *[!A-Za-z0-9_.-]*) return 1 ;;
    esac
}

# Sets os and target.
find_platform() {
    os=$(uname -s)
    machine=$(uname -m)
    # A processor of 64 bits may run a system of 32, as many a Raspberry Pi does.
    bits=$(getconf LONG_BIT 2>/dev/null || echo 64)
    case $os-$machine-$bits in
    Linux-x86_64-64 | Linux-amd64-64) target=x86_64-unknown-linux-musl ;;
    Linux-aarch64-64 | Linux-arm64-64) target=aarch64-unknown-linux-musl ;;
    Linux-armv7*-* | Linux-armv8*-* | Linux-aarch64-32) target=armv7-unknown-linux-musleabihf ;;
    Linux-armv6*-*) target=arm-unknown-linux-musleabihf ;;
    Darwin-x86_64-*) target=x86_64-apple-darwin ;;
    Darwin-arm64-*) target=aarch64-apple-darwin ;;
    *) fail "there is no gateway for $os on $machine ($bits bits)" ;;
    esac
}

# Sets owner, whose sessions these are, and home. The gateway never runs as root, unless root says
# that there is no service.
find_owner() {
    owner=$(id -un)
    # Not everything that runs a script at a machine's first start sets it.
    home=${HOME:-$(eval "echo ~$owner")}
    new_owner=no
    as_root=no
    if [ "$(id -u)" != 0 ] || [ "$service" = no ]; then
        [ -z "$run_as" ] || [ "$run_as" = "$owner" ] || fail '--run-as is for root with a service'
        return
    fi
    as_root=yes
    owner=${run_as:-${SUDO_USER:-}}
    if ! is_user "$owner"; then
        [ "$os" = Linux ] || fail 'run the line as yourself, without sudo'
        owner=vibe
    fi
    if id -u "$owner" >/dev/null 2>&1; then
        home=$(eval "echo ~$owner")
    else
        [ -z "$run_as" ] || fail "there is no user $run_as"
        new_owner=yes
        home=/home/$owner
    fi
}

# Sets where things are: binary, settings, state.
find_places() {
    binary=$home/.local/bin/$NAME
    state=$home/.local/state/chatcode
    settings=$home/.config/chatcode/gateway.env
    if [ "$as_root" = yes ]; then
        settings=/etc/chatcode/gateway.env
    elif [ -n "${XDG_STATE_HOME:-}" ] && [ "$service" = no ]; then
        state=$XDG_STATE_HOME/chatcode
    fi
    kept_state=$(setting GATEWAY_STATE_DIR)
    state=${kept_state:-$state}
}

# What the settings that are there say of a name.
setting() {
    [ ! -r "$settings" ] || sed -n "s/^$1=//p" "$settings" | tail -n 1
}

# Sets manager: what will run the gateway.
find_manager() {
    manager='in the background, until the machine restarts'
    [ "$service" = yes ] || return 0
    if [ "$os" = Darwin ]; then
        manager="launchd, as $owner"
    elif [ -d /run/systemd/system ] && have systemctl; then
        manager="systemd, as $owner"
    else
        fail 'no service manager runs here, as in many containers: add --no-service to the line, and
  the gateway is started in the background'
    fi
}

# Sets tmux: which one is here, or how it comes here.
find_tmux() {
    apt='' tmux=''
    if have tmux; then
        tmux="$(tmux -V)"
    elif have apt-get && [ "$(id -u)" = 0 ]; then
        apt='env DEBIAN_FRONTEND=noninteractive apt-get'
    elif have apt-get && have sudo && sudo -n true 2>/dev/null; then
        apt='sudo -n env DEBIAN_FRONTEND=noninteractive apt-get'
    else
        fail "tmux is needed: $(how_to_get_tmux), then paste the line again"
    fi
}

how_to_get_tmux() {
    for manager_of_packages in apt-get brew dnf yum zypper apk pacman port; do
        have "$manager_of_packages" || continue
        case $manager_of_packages in
        apk) say 'apk add tmux' ;;
        pacman) say 'sudo pacman -S tmux' ;;
        brew) say 'brew install tmux' ;;
        *) say "sudo $manager_of_packages install tmux" ;;
        esac
        return
    done
    if [ "$os" = Darwin ]; then
        say 'install Homebrew from https://brew.sh, then: brew install tmux'
    else
        say 'install it with the package manager of this system'
    fi
}

# Sets source, and for a download also url, digest and size.
find_source() {
    source=${CHATCODE_BINARY:-}
    if [ -n "$source" ]; then
        [ -f "$source" ] || fail "CHATCODE_BINARY: there is no file $source"
        return
    fi
    # 22: there was an answer, and it was no.
    release=$(curl -fsSL "$ORIGIN/api/release?target=$target" 2>/dev/null) ||
        if [ $? = 22 ]; then
            fail "$ORIGIN offers no gateway to download for $target: build one with
  cargo, and put CHATCODE_BINARY=/path/to/$NAME before sh"
        else
            fail "$ORIGIN cannot be reached"
        fi
    # The manifest is JSON in a string of JSON; none of these values holds a quote.
    release=$(say "$release" | sed 's/\\n//g; s/\\"/"/g')
    url=$(part url '[^"]*')
    digest=$(part sha256 '[0-9a-f]*')
    size=$(say "$release" | sed -n 's/.*"size"[^0-9]*\([0-9]*\).*/\1/p')
    case $url in
    https://*) ;;
    *) fail 'the release names no https address; tell who runs this deployment' ;;
    esac
    if [ "${#digest}" != 64 ] || [ "${size:-0}" -lt 1 ] || [ "$size" -gt "$MOST_BYTES" ]; then
        fail 'the release cannot be read; tell who runs this deployment'
    fi
    source=$url
}

part() {
    say "$release" | sed -n "s/.*\"$1\"[^:]*: *\"\\($2\\)\".*/\\1/p"
}

# Sets enrolled: whether this line was used here before. Otherwise the token must be good for an
# enrolment, before anything is changed.
find_enrolment() {
    enrolled=no
    if [ "$(setting GATEWAY_ID)" = "$gateway_id" ] && [ -s "$state/auth-token" ] &&
        [ "$(setting GATEWAY_BOOTSTRAP_TOKEN)" = "$token" ]; then
        enrolled=yes
        return
    fi
    # By standard input: what stands in a command line can be read by everybody on the machine.
    status=$(printf 'header = "Authorization: Bearer %s"\n' "$token" |
        curl -sS -o /dev/null -w '%{http_code}' --max-time 20 -K - "$ORIGIN/gateway/$gateway_id") ||
        fail "$ORIGIN cannot be reached"
    case $status in
    # The token is right; what it is shown to wants a WebSocket.
    426) ;;
    401) fail "the token in this line has expired or was used: make a new line on the server's page" ;;
    *) fail "$ORIGIN answered $status; try again later" ;;
    esac
}

tell_plan() {
    say "This machine becomes the server $gateway_id of $ORIGIN."
    say "  binary    $binary, from $source"
    say "  settings  $settings"
    if [ -n "$tmux" ]; then
        say "  tmux      $tmux is here"
    else
        say '  tmux      is installed by apt-get'
    fi
    if [ "$new_owner" = yes ]; then
        say "  user      $owner is made: the gateway does not run as root"
    fi
    say "  runs      $manager"
    other=$(setting GATEWAY_ID)
    if [ -n "$other" ] && [ "$other" != "$gateway_id" ]; then
        say "  instead   of $other, which this machine is now"
    elif [ "$enrolled" = yes ]; then
        say '  enrolled  it is, with this line; it is only renewed'
    fi
}

make_owner() {
    [ "$new_owner" = no ] || useradd --create-home --shell /bin/bash "$owner"
}

install_tmux() {
    [ -z "$tmux" ] || return 0
    # Standard input is this script.
    $apt update -qq </dev/null >/dev/null || say 'apt-get update failed; going on with what is known'
    $apt install -y -qq tmux </dev/null >/dev/null || fail 'apt-get could not install tmux'
}

fetch_binary() {
    if [ -n "${CHATCODE_BINARY:-}" ]; then
        cp "$CHATCODE_BINARY" "$scratch/$NAME"
    else
        curl -fsSL --proto '=https' --max-filesize "$MOST_BYTES" -o "$scratch/$NAME" "$url" ||
            fail "the download of $url failed"
        [ "$(digest_of "$scratch/$NAME")" = "$digest" ] ||
            fail "what $url gave is not what the release names: nothing was installed"
    fi
    chmod 755 "$scratch/$NAME"
    version=$("$scratch/$NAME" version </dev/null) ||
        fail "$source does not run on this machine ($os, $machine)"
}

digest_of() {
    if have sha256sum; then
        sha256sum "$1" | cut -d ' ' -f 1
    else
        shasum -a 256 "$1" | cut -d ' ' -f 1
    fi
}

# Makes a folder of the owner's, with those above it.
folder() {
    [ -d "$1" ] && return
    folder "$(dirname "$1")"
    mkdir "$1"
    own "$1"
}

own() {
    [ "$as_root" = no ] || chown "$owner:" "$1"
}

# The binary is its user's own, so that the gateway can put a new version into its place.
place_binary() {
    folder "$(dirname "$binary")"
    cp "$scratch/$NAME" "$binary.new"
    chmod 755 "$binary.new"
    own "$binary.new"
    mv -f "$binary.new" "$binary"
    if [ "$as_root" = yes ]; then
        mkdir -p /usr/local/bin
        ln -sf "$binary" "/usr/local/bin/$NAME"
    fi
    say "$version is in $binary"
}

# Everything but what this line says stays as it is.
write_settings() {
    if [ "$as_root" = yes ]; then
        mkdir -p "$(dirname "$settings")"
    else
        folder "$(dirname "$settings")"
    fi
    mine='^GATEWAY_(ID|CP_URL|BOOTSTRAP_TOKEN|AUTH_TOKEN|AUTH_TOKEN_FILE)='
    (
        umask 077
        {
            [ ! -r "$settings" ] || grep -Ev "$mine" "$settings" || true
            say "GATEWAY_ID=$gateway_id"
            say "GATEWAY_CP_URL=$(say "$ORIGIN" | sed 's/^http/ws/')/gateway"
            say "GATEWAY_BOOTSTRAP_TOKEN=$token"
        } >"$settings.new"
    )
    own "$settings.new"
    mv -f "$settings.new" "$settings"
    # The token of an enrolment before would be taken instead.
    [ "$enrolled" = yes ] || rm -f "$state/auth-token"
}

start_gateway() {
    if [ "$service" = no ]; then
        start_in_background
        return
    fi
    if [ "$as_root" = yes ]; then
        "$binary" service install --run-as "$owner" --config "$settings" </dev/null
    else
        "$binary" service install --config "$settings" </dev/null && linger
    fi || fail "the service could not be installed; $NAME doctor may know more"
}

# A person's own services end with their last login, unless they linger.
linger() {
    have loginctl || return 0
    loginctl enable-linger "$owner" </dev/null >/dev/null 2>&1 ||
        sudo -n loginctl enable-linger "$owner" </dev/null >/dev/null 2>&1 ||
        say "So that it goes on after you log out: sudo loginctl enable-linger $owner"
}

start_in_background() {
    folder "$state"
    stop_in_background
    nohup "$binary" run --config "$settings" </dev/null >>"$state/gateway.log" 2>&1 &
    say $! >"$state/gateway.pid"
}

# Ends the gateway that this script has started before.
stop_in_background() {
    [ -r "$state/gateway.pid" ] || return 0
    pid=$(cat "$state/gateway.pid")
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        # The number may be another program's by now.
        case $(ps -p "$pid" -o args= 2>/dev/null) in
        "$binary run"*) kill "$pid" 2>/dev/null || return 0 ;;
        *) return 0 ;;
        esac
        sleep 1
    done
    fail "the gateway that runs ($pid) does not end"
}

wait_until_online() {
    waited=0
    until is_online; do
        waited=$((waited + 1))
        [ "$waited" -lt "$PATIENCE" ] || give_up
        sleep 1
    done
    say "This machine is online. Go on in the browser: $ORIGIN/servers/$gateway_id"
}

# A gateway that has enrolled has a token of its own, and the control plane accepts no other.
is_online() {
    [ -s "$state/auth-token" ] || return 1
    [ "$(printf 'header = "Authorization: Bearer %s"\n' "$(cat "$state/auth-token")" |
        curl -sS -o /dev/null -w '%{http_code}' --max-time 20 -K - \
            "$ORIGIN/gateway/$gateway_id" 2>/dev/null)" = 426 ]
}

give_up() {
    say 'The gateway did not come online. This is what it says of itself:' >&2
    if [ "$as_root" = yes ]; then
        su -s /bin/sh "$owner" -c "'$binary' doctor --config '$settings'" </dev/null >&2 || true
    else
        "$binary" doctor --config "$settings" </dev/null >&2 || true
    fi
    [ ! -r "$state/gateway.log" ] || tail -n 10 "$state/gateway.log" >&2
    exit 1
}

main "$@"
