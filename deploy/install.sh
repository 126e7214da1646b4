#!/bin/sh
# Installs the chatcode gateway on this machine, or renews it, or removes it. The line comes from a
# server's page:
#
#   curl -fsSL @ORIGIN@/install.sh | sh -s -- GATEWAY_ID TOKEN
#
# Everything is in functions, and the last line calls the first one: half a script does nothing.
# Until the plan is told and the binary is verified, only a scratch folder is written to.
set -eu

ORIGIN='@ORIGIN@'
# The folder of releases, and the minisign key that signs them; empty where there is none.
RELEASES='@RELEASE_URL@'
KEY='@RELEASE_KEY@'

NAME=chatcode-gateway
# Seconds within which the gateway must have enrolled.
PATIENCE=45
# Bytes of the largest binary, and of the largest manifest or signature.
MOST_BYTES=16777216
MANIFEST_BYTES=4096
# KiB beside three binaries (this one, the one before it and the next), for settings and state.
SPARE_KIB=2048
# What the user that is made here is known by: no other is ever removed.
COMMENT='chatcode sessions'

# What belongs to root. It never runs what the gateway's user may change.
COMMAND=/usr/local/bin/$NAME
LIBRARY=/usr/local/lib/chatcode
SUDOERS=/etc/sudoers.d/99-chatcode
SUDO_LOG=/var/log/sudo.log

usage() {
    cat <<END
usage: sh -s -- GATEWAY_ID TOKEN [--dry-run] [--no-service] [--run-as NAME]
       sh -s -- --uninstall [--purge] [--dry-run]

  --dry-run       say what would be done, and do nothing
  --no-service    start the gateway in the background, where no service manager runs
  --run-as NAME   as root: whose sessions these are (who called sudo, else a new user vibe)
  --uninstall     remove what was installed; sessions that run and files of people stay
  --purge         end the sessions too, and remove the user vibe with all files if it was made here

CHATCODE_BINARY=/path takes the gateway's binary from there instead of downloading it; a signature
beside it (/path.minisig) is verified. CHATCODE_SHA256=DIGEST is what the binary must have.
END
}

say() { printf '%s\n' "$*"; }

fail() {
    printf 'chatcode: %s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

main() {
    scratch='' made='' changed=no placed=yes
    trap finish EXIT
    trap 'exit 1' HUP INT TERM
    read_words "$@"
    if [ "$uninstall" = yes ]; then
        uninstall
        return
    fi
    find_platform
    find_owner
    find_places
    find_manager
    find_tmux
    scratch=$(mktemp -d) || fail 'no scratch folder can be made: make room in /tmp, or set TMPDIR'
    find_source
    find_enrolment
    check_places
    tell_plan
    if [ "$dry_run" = yes ]; then
        say 'Nothing was done.'
        return
    fi
    fetch_binary
    placed=no
    make_owner
    install_tmux
    place_binary
    write_settings
    placed=yes
    start_gateway
    wait_until_online
}

# Whatever ends this leaves no part of a file, and no folder in which nothing came to be.
finish() {
    [ -z "$scratch" ] || rm -rf "$scratch"
    [ "$placed" = no ] || return 0
    as_owner rm -f "$binary.new" "$settings.new" </dev/null || true
    printf '%s' "$made" | while IFS= read -r folder; do
        as_owner rmdir "$folder" </dev/null 2>/dev/null || true
    done
}

read_words() {
    gateway_id='' token='' dry_run=no service=yes run_as='' uninstall=no purge=no
    while [ $# -gt 0 ]; do
        case $1 in
        --dry-run) dry_run=yes ;;
        --no-service) service=no ;;
        --uninstall) uninstall=yes ;;
        --purge) purge=yes ;;
        --run-as)
            [ $# -ge 2 ] || fail '--run-as needs the name of a user'
            run_as=$2
            shift
            ;;
        --help)
            usage
            exit 0
            ;;
        -*)
            # One token of 64 begins with a dash.
            if [ -z "$gateway_id" ] || [ -n "$token" ]; then
                fail "there is no option $1; --help lists them"
            fi
            token=$1
            ;;
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
    [ "$uninstall" = no ] || return 0
    [ "$purge" = no ] || fail '--purge belongs to --uninstall'
    if ! is_plain "$gateway_id" || ! is_plain "$token"; then
        fail 'the line is incomplete; copy it from the server'\''s page as it is'
    fi
    [ -z "$run_as" ] || is_user "$run_as" || fail '--run-as is the name of a user, not of root'
    case $ORIGIN in
    http*) ;;
    *) fail 'this copy knows no control plane: take the line from a server'\''s page' ;;
    esac
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

# Sets os, target and header: how the target's programs begin, as od shows their bytes.
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
    *)
        fail "there is no gateway for $os on $machine ($bits bits): it runs on Linux (x86_64, aarch64,
  ARMv6, ARMv7) and macOS; take another machine"
        ;;
    esac
    # Magic, then class and machine of ELF, or the processor of Mach-O.
    case $target in
    x86_64-*-linux*) header='7f454c4602*3e00' ;;
    aarch64-*-linux*) header='7f454c4602*b700' ;;
    arm*) header='7f454c4601*2800' ;;
    x86_64-*) header='cffaedfe07000001*' ;;
    *) header='cffaedfe0c000001*' ;;
    esac
}

# Sets owner, whose sessions these are, and home. The gateway never runs as root, unless root says
# that there is no service.
find_owner() {
    owner=$(id -un 2>/dev/null || id -u)
    # Not everything that runs a script at a machine's first start sets it.
    home=${HOME:-$(eval "echo ~$owner")}
    new_owner=no as_root=no gives_sudo=no
    if [ "$(id -u)" = 0 ] && [ "$os" = Darwin ]; then
        fail 'on macOS everybody has a gateway of their own: run the line as yourself, without sudo'
    fi
    if [ "$(id -u)" = 0 ] && [ "$service" = yes ]; then
        find_service_user
        return
    fi
    [ -z "$run_as" ] || [ "$run_as" = "$owner" ] ||
        fail '--run-as is for root with a service: put sudo before sh, or leave it out'
    [ -d "$home" ] || fail "there is no folder $home: set HOME to where $owner's files belong"
    [ -n "$(find -H "$home" -prune -user "$owner")" ] ||
        fail "HOME is $home, which is not $owner's: log in as $owner, or use sudo with -H"
}

find_service_user() {
    as_root=yes
    owner=${run_as:-${SUDO_USER:-}}
    is_user "$owner" || owner=vibe
    if id -u "$owner" >/dev/null 2>&1; then
        [ "$(id -u "$owner")" != 0 ] || fail "$owner is another name of root: name a person by --run-as"
        home=$(eval "echo ~$owner")
    else
        [ -z "$run_as" ] || fail "there is no user $run_as: make it first, or leave --run-as out"
        have useradd || fail "useradd is needed to make the user $owner: install it, or name a user who
  is there by --run-as"
        new_owner=yes
        home=/home/$owner
    fi
    if [ "$new_owner" = yes ] || is_made_here "$owner"; then
        if have sudo && have visudo && [ -d "${SUDOERS%/*}" ]; then gives_sudo=yes; fi
    fi
}

is_made_here() { grep -q "^$1:[^:]*:[^:]*:[^:]*:$COMMENT:" /etc/passwd; }

# Runs a command as the owner. All that root does in the owner's home goes this way: it follows no
# link that they may have laid there.
as_owner() {
    if [ "$as_root" = yes ]; then
        (cd / && su -s /bin/sh -c 'exec "$@"' -- "$owner" sh "$@")
    else
        "$@"
    fi
}

# Sets where things are: binary, settings, state, and the record of what the installer made.
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
    record=${settings%/*}/installed
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
        find_user_manager
    else
        fail 'no service manager runs here, as in many containers: add --no-service to the line, and
  the gateway is started in the background'
    fi
}

# A shell that somebody became by su or sudo does not know where their manager is.
find_user_manager() {
    [ "$as_root" = no ] || return 0
    XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}
    export XDG_RUNTIME_DIR
    systemctl --user show-environment >/dev/null 2>&1 </dev/null ||
        fail "$owner's own service manager does not answer: log in as $owner by ssh or at the
  console, or run the line as root, with sudo before sh"
}

# Sets tmux, which one is here, or apt, which brings it.
find_tmux() {
    apt='' tmux=''
    if have tmux; then
        check_tmux
    elif have apt-get && [ "$(id -u)" = 0 ]; then
        apt='env DEBIAN_FRONTEND=noninteractive apt-get'
    elif have apt-get && have sudo && sudo -n true 2>/dev/null; then
        apt='sudo -n env DEBIAN_FRONTEND=noninteractive apt-get'
    else
        fail "tmux is needed: $(how_to_get tmux), then paste the line again"
    fi
}

check_tmux() {
    tmux=$(tmux -V 2>&1) || fail "tmux is here and does not run ($tmux): $(how_to_get tmux)"
    number=${tmux#tmux }
    case ${number#next-} in
    [0-2].*)
        fail "$tmux is too old, 3.0 or later is needed: $(how_to_get tmux), from a newer release of
  this system or its backports, then paste the line again"
        ;;
    esac
}

how_to_get() {
    for packages in apt-get brew dnf yum zypper apk pacman port; do
        have "$packages" || continue
        case $packages in
        apk) say "apk add $1" ;;
        pacman) say "sudo pacman -S $1" ;;
        brew) say "brew install $1" ;;
        *) say "sudo $packages install $1" ;;
        esac
        return
    done
    if [ "$os" = Darwin ]; then
        say "install Homebrew from https://brew.sh, then: brew install $1"
    else
        say "install $1 with the package manager of this system"
    fi
}

# Sets source, size, and verified: how it is known that the binary is the right one. One that is
# here already is in the scratch folder from then on, and verified.
find_source() {
    have curl || fail "curl is needed: $(how_to_get curl), then paste the line again"
    version='' verified='' here=''
    source=${CHATCODE_BINARY:-}
    if [ -z "$source" ]; then
        find_release
        return
    fi
    [ -f "$source" ] || fail "CHATCODE_BINARY: there is no file $source"
    size=$(wc -c <"$source")
    check_room "$scratch" $((size / 1024 + 1))
    cp "$source" "$scratch/$NAME" || fail "CHATCODE_BINARY: $source cannot be read"
    verified='by nobody: it is a file of yours'
    if [ -f "$source.minisig" ] && [ -n "$KEY" ]; then
        cp "$source.minisig" "$scratch/$NAME.minisig"
        verify "$scratch/$NAME" "$source"
    fi
    check_binary
}

# What the folder of releases has for this target. The signature is looked at before what it says.
find_release() {
    digest=''
    if [ -z "$RELEASES" ]; then
        fail "$ORIGIN offers no gateway to download: build one with cargo, and
  put CHATCODE_BINARY=/path/to/$NAME before sh"
    fi
    fetch manifest.json
    if [ -n "$KEY" ]; then
        fetch manifest.json.minisig
        verify "$scratch/manifest.json" "the manifest of the release"
    else
        verified='by the checksum that came by https: this deployment signs nothing'
    fi
    version=$(part version) url=$(part url) digest=$(part sha256) size=$(part size)
    [ "$(part target)" = "$target" ] ||
        refuse_release "it is for $(part target), and this machine is $target"
    case $version in
    *[!0-9.]* | *.*.*.* | *..* | .* | *.) version='' ;;
    *.*.*) ;;
    *) version='' ;;
    esac
    case $url in
    https://*) ;;
    *) url='' ;;
    esac
    case $digest$size in
    *[!0-9a-f]*) size='' ;;
    esac
    if [ -z "$version" ] || [ -z "$url" ] || [ "${#digest}" != 64 ] || [ -z "$size" ] ||
        [ "${#size}" -gt 8 ] || [ "$size" -lt 1 ] || [ "$size" -gt "$MOST_BYTES" ]; then
        refuse_release 'its manifest cannot be read'
    fi
    source=$url
    check_room "$scratch" $((size / 1024 + 1))
    find_version_here
}

# Sets here: the version that is installed, if any. Some releases want another one before them.
find_version_here() {
    [ ! -f "$binary" ] || here=$(as_owner "$binary" version 2>/dev/null </dev/null) || here=''
    here=${here#"$NAME "} first=$(part minimum_version)
    [ -z "$here" ] || [ -z "$first" ] || ! is_before "$here" "$first" ||
        fail "$here is here, and $version replaces only $first and later: update to $first on the
  server's page first, or remove this one by --uninstall"
}

# Whether one x.y.z comes before another.
is_before() {
    [ "$1" != "$2" ] || return 1
    [ "$(printf '%s\n' "$1" "$2" | sort -t . -k 1,1n -k 2,2n -k 3,3n | head -n 1)" = "$1" ]
}

refuse_release() { fail "the release is not taken: $1; tell who runs $ORIGIN"; }

# A value of the manifest, which is one line and holds no backslash.
part() {
    sed -n "s/.*\"$1\" *: *\"\\{0,1\\}\\([^\",} ]*\\).*/\\1/p" "$scratch/manifest.json"
}

# A small file of the release, byte for byte.
fetch() {
    from=$RELEASES/$target/$1
    curl -fsSL --proto-redir '=https' --max-time 20 --max-filesize "$MANIFEST_BYTES" \
        -o "$scratch/$1" "$from" 2>"$scratch/why" && return
    # 22: there was an answer, and it was no.
    [ $? = 22 ] || fail "$from cannot be fetched: $(cat "$scratch/why")"
    [ "$1" = manifest.json ] || refuse_release 'its signature is missing'
    fail "$ORIGIN offers no gateway to download for $target: build one with
  cargo, and put CHATCODE_BINARY=/path/to/$NAME before sh"
}

# Checks that the deployment's key has signed a file, whose signature is beside it.
verify() {
    line=$(sed -n 2p "$1.minisig")
    # Eight of the letters that name the key, in both.
    if [ "$(say "$line" | cut -c 5-12)" != "$(say "$KEY" | cut -c 5-12)" ]; then
        refuse_signature "$2" 'another key made it'
    elif have minisign; then
        minisign -Vqm "$1" -P "$KEY" </dev/null >/dev/null 2>&1 ||
            refuse_signature "$2" 'it is not of these bytes'
        verified='by its signature, with minisign'
    elif can_openssl; then
        verify_by_openssl "$1" || refuse_signature "$2" 'it is not of these bytes'
        verified='by its signature, with openssl'
    else
        verified='by no signature: neither minisign nor openssl 3 is here to look at it'
        [ "$1" = "$scratch/$NAME" ] || verified="by the checksum that came by https; $verified"
    fi
}

refuse_signature() {
    fail "the signature of $1 is bad: $2. Nothing was installed; do not use that
  binary, and tell who runs $ORIGIN"
}

# OpenSSL 1 and LibreSSL lack one or the other.
can_openssl() {
    have openssl && openssl dgst -blake2b512 </dev/null >/dev/null 2>&1 &&
        openssl pkeyutl -help 2>&1 | grep -q -e -rawin
}

# Minisign's format: two base64 lines, of the bytes (or their BLAKE2b digest) and of that signature
# with the comment. Each begins with ten bytes of algorithm and key's name, but the last.
verify_by_openssl() {
    case $line in
    RU[Q-T]*) openssl dgst -blake2b512 -binary "$1" >"$scratch/signed" ;;
    RW[Q-T]*) cp "$1" "$scratch/signed" ;;
    *) return 1 ;;
    esac
    # What DER has before the 32 bytes of an Ed25519 key.
    printf '\060\052\060\005\006\003\053\145\160\003\041\000' >"$scratch/key"
    printf '%s' "$KEY" | openssl base64 -d -A | tail -c 32 >>"$scratch/key"
    printf '%s' "$line" | openssl base64 -d -A | tail -c 64 >"$scratch/by"
    is_signed || return 1
    sed -n '3s/^trusted comment: //p' "$1.minisig" | tr -d '\n' >"$scratch/comment"
    cat "$scratch/by" "$scratch/comment" >"$scratch/signed"
    sed -n 4p "$1.minisig" | tr -d '\n' | openssl base64 -d -A >"$scratch/by"
    is_signed
}

is_signed() {
    openssl pkeyutl -verify -pubin -keyform DER -inkey "$scratch/key" -rawin \
        -in "$scratch/signed" -sigfile "$scratch/by" >/dev/null 2>&1
}

# Checks the binary in the scratch folder as far as that goes without changing anything.
check_binary() {
    if [ -n "${CHATCODE_SHA256:-}" ]; then
        [ "$(digest_of "$scratch/$NAME")" = "$CHATCODE_SHA256" ] ||
            fail "$source has not the digest of CHATCODE_SHA256: nothing was installed"
        verified='by CHATCODE_SHA256'
    fi
    chmod 755 "$scratch/$NAME"
    # shellcheck disable=SC2254 # It is a pattern.
    case $(od -An -v -tx1 -N20 "$scratch/$NAME" | tr -d ' \n') in
    $header) ;;
    *)
        fail "$source is no program for this machine ($os, $machine): nothing was installed;
  take one that was built for $target"
        ;;
    esac
    # 126: what is in folders for temporary files may not be run everywhere.
    said=$("$scratch/$NAME" version 2>&1 </dev/null) || [ $? = 126 ] ||
        fail "$source does not run on this machine ($os, $machine): $said"
}

digest_of() {
    if have sha256sum; then
        sha256sum "$1" | cut -d ' ' -f 1
    else
        shasum -a 256 "$1" | cut -d ' ' -f 1
    fi
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
    answer=$(printf 'header = "Authorization: Bearer %s"\n' "$token" |
        curl -sS -o /dev/null -w '%{http_code}' --max-time 20 -K - "$ORIGIN/gateway/$gateway_id") ||
        fail "$ORIGIN cannot be reached"
    case $answer in
    # The token is right; what it is shown to wants a WebSocket.
    426) ;;
    401) fail "the token in this line has expired or was used: make a new line on the server's page" ;;
    *) fail "$ORIGIN answered $answer; try again later" ;;
    esac
}

check_places() {
    room=$((3 * size / 1024 + SPARE_KIB))
    as=as_owner
    [ "$new_owner" = no ] || as='env'
    check_room "$home" "$room"
    check_writable "${binary%/*}" "$as"
    check_writable "$state" "$as"
    if [ "$as_root" = no ]; then
        check_writable "${settings%/*}" env
        return
    fi
    check_room "$LIBRARY" "$room"
    for folder in "${settings%/*}" "$LIBRARY" "${COMMAND%/*}" /etc/systemd/system; do
        check_writable "$folder" env
    done
}

# The folder itself, or the nearest above it that is there.
nearest() {
    at=$1
    until [ -d "$at" ]; do at=$(dirname "$at"); done
}

check_room() {
    nearest "$1"
    free=$(df -Pk "$at" | sed -n '$s/.* \([0-9][0-9]*\)  *[0-9]*% .*/\1/p')
    [ -z "$free" ] || [ "$free" -ge "$2" ] ||
        fail "there is no room in $at: $free KiB are free, and $2 are needed; delete what you do not
  need there, then paste the line again"
}

check_writable() {
    nearest "$1"
    # shellcheck disable=SC2016 # That shell expands it.
    why=$("$2" sh -c 'probe=$(mktemp "$1/.chatcode-XXXXXX") && rm -f "$probe"' sh "$at" \
        2>&1 </dev/null) ||
        fail "nothing can be written in $at (${why##*: }): it must be mounted writable, and $owner
  must be allowed to write there; then paste the line again"
}

tell_plan() {
    say "This machine becomes the server $gateway_id of $ORIGIN."
    say "  binary    $binary, from $source"
    say "  verified  $verified"
    say "  settings  $settings"
    if [ -n "$tmux" ]; then
        say "  tmux      $tmux is here"
    else
        say '  tmux      is installed by apt-get'
    fi
    if [ "$new_owner" = yes ]; then
        say "  user      $owner is made: the gateway does not run as root"
    fi
    if [ "$gives_sudo" = yes ]; then
        say "  sudo      $owner may do everything by sudo, which writes that down in $SUDO_LOG"
    fi
    if [ "$as_root" = yes ]; then
        say "  command   $COMMAND, which does not let root run what $owner may change"
    fi
    say "  runs      $manager"
    other=$(setting GATEWAY_ID)
    if [ -n "$other" ] && [ "$other" != "$gateway_id" ]; then
        say "  instead   of $other, which this machine is now"
    elif [ "$enrolled" = yes ]; then
        say '  enrolled  it is, with this line; it is only renewed'
    fi
}

# Brings the binary into the scratch folder, if it is not there already.
fetch_binary() {
    [ ! -f "$scratch/$NAME" ] || return 0
    if [ -f "$binary" ]; then
        cp "$binary" "$scratch/$NAME"
        [ "$(digest_of "$scratch/$NAME")" != "$digest" ] || return 0
    fi
    how=-sS
    [ ! -t 2 ] || how=--progress-bar
    curl -fL "$how" --proto '=https' --max-filesize "$MOST_BYTES" -o "$scratch/$NAME" "$url" ||
        fail "the download of $url failed: nothing was installed; paste the line again"
    [ "$(digest_of "$scratch/$NAME")" = "$digest" ] ||
        fail "what $url gave is not what the release names: nothing was installed"
    check_binary
}

make_owner() {
    [ "$new_owner" = no ] ||
        useradd --create-home --shell /bin/bash --comment "$COMMENT" "$owner" ||
        fail "the user $owner could not be made"
    [ "$gives_sudo" = yes ] || return 0
    cat >"$scratch/sudoers" <<END
# From chatcode's install.sh, which also removes it: sessions may do everything, and it is written down.
$owner ALL=(ALL) NOPASSWD:ALL
Defaults:$owner logfile=$SUDO_LOG, log_host, log_year
END
    visudo -cqf "$scratch/sudoers" || fail 'sudo does not understand what the installer would tell it'
    put "$scratch/sudoers" "$SUDOERS" 440 env
}

install_tmux() {
    [ -z "$tmux" ] || return 0
    # Standard input is this script.
    $apt update -qq </dev/null >/dev/null || say 'apt-get update failed; going on with what is known'
    $apt install -y -qq tmux </dev/null >/dev/null || fail 'apt-get could not install tmux'
    check_tmux
}

# Makes a folder of the owner's, with those above it, and remembers what was not there.
folder() {
    [ ! -d "$1" ] || return 0
    folder "$(dirname "$1")"
    as_owner mkdir "$1" </dev/null
    made="$1
$made"
}

# Puts FILE at PLACE with MODE, by WHO (as_owner, or env for whoever runs this), for OWNER. What is
# the same there stays; what cannot be written whole is not there at all.
put() {
    ! cmp -s "$1" "$2" || return 0
    # shellcheck disable=SC2016 # That shell expands it.
    "$4" sh -c 'umask 077; rm -f "$1.new" && cat >"$1.new" && chmod "$2" "$1.new" &&
        if [ -n "$3" ]; then chown "$3:" "$1.new"; fi && mv -f "$1.new" "$1" ||
        { rm -f "$1.new"; exit 1; }' sh "$2" "$3" "${5:-}" <"$1" ||
        fail "$2 could not be written, and is what it was before: make room, then paste the line again"
    changed=yes
}

# The binary is its user's own, so that the gateway can put a new version into its place. What root
# does with it, the service, is done by a copy that is root's. The service begins with the command,
# for where SELinux is, a manager runs no file of a home.
place_binary() {
    folder "${binary%/*}"
    if [ -n "$here" ] && is_before "$version" "$here"; then
        say "$here is here already, and newer than $version"
    elif ! cmp -s "$scratch/$NAME" "$binary"; then
        put "$scratch/$NAME" "$binary.new" 755 as_owner
        said=$(as_owner "$binary.new" version 2>&1 </dev/null) ||
            fail "$source does not run from ${binary%/*}: $said"
        [ -z "$version" ] || [ "$said" = "$NAME $version" ] ||
            refuse_release "it is said to be $version, and says of itself: $said"
        as_owner mv -f "$binary.new" "$binary" </dev/null
        say "$said is in $binary"
    fi
    [ "$as_root" = yes ] || return 0
    mkdir -p "$LIBRARY" "${COMMAND%/*}"
    put "$scratch/$NAME" "$LIBRARY/$NAME" 755 env
    cat >"$scratch/command" <<END
#!/bin/sh
# From chatcode's install.sh. The gateway belongs to $owner, who may change it. So root becomes
# $owner first, and looks after the service with a copy of its own.
gateway='$binary'
[ "\$(id -u)" = 0 ] || exec "\$gateway" "\$@"
[ "\${1-}" != service ] || exec $LIBRARY/$NAME "\$@" --binary $COMMAND
exec su -s /bin/sh -c 'exec "\$@"' -- '$owner' sh "\$gateway" "\$@"
END
    put "$scratch/command" "$COMMAND" 755 env
}

# Everything but what this line says stays as it is.
write_settings() {
    mine='^GATEWAY_(ID|CP_URL|BOOTSTRAP_TOKEN|AUTH_TOKEN|AUTH_TOKEN_FILE)='
    {
        [ ! -r "$settings" ] || grep -Ev "$mine" "$settings" || true
        say "GATEWAY_ID=$gateway_id"
        say "GATEWAY_CP_URL=$(say "$ORIGIN" | sed 's/^http/ws/')/gateway"
        say "GATEWAY_BOOTSTRAP_TOKEN=$token"
    } >"$scratch/settings"
    folder "${state%/*}"
    if [ "$as_root" = yes ]; then
        mkdir -p "${settings%/*}"
        put "$scratch/settings" "$settings" 600 env "$owner"
    else
        folder "${settings%/*}"
        [ "$service" = no ] || [ "$os" = Darwin ] ||
            folder "$home/.config/systemd/user/default.target.wants"
        put "$scratch/settings" "$settings" 600 env
    fi
    write_record
    # The token of an enrolment before would be taken instead.
    [ "$enrolled" = yes ] || as_owner rm -f "$state/auth-token" </dev/null
}

# Writes down what was not as it is now before the first installation, for when it is removed.
write_record() {
    {
        [ ! -r "$record" ] || grep -v '^owner=' "$record" || true
        say "owner=$owner"
        printf '%s' "$made" | sed 's/^/made=/'
        [ "$service" = no ] || [ "$os" = Darwin ] || is_lingering || say linger=yes
    } | sort -ru >"$scratch/record"
    put "$scratch/record" "$record" 644 env
}

is_lingering() { [ -e "/var/lib/systemd/linger/$owner" ]; }

start_gateway() {
    if [ "$changed" = no ] && is_running && is_online; then
        say 'Nothing is new here, and the gateway runs.'
    elif [ "$service" = no ]; then
        start_in_background
    else
        if [ "$as_root" = yes ]; then
            "$COMMAND" service install --run-as "$owner" --config "$settings" </dev/null
        else
            "$binary" service install --config "$settings" </dev/null && linger
        fi || fail "the service could not be installed; $NAME doctor may know more"
    fi
}

is_running() {
    if [ "$service" = no ]; then
        is_gateway "$(cat "$state/gateway.pid" 2>/dev/null)"
    elif [ "$as_root" = yes ]; then
        "$COMMAND" service status </dev/null >/dev/null 2>&1
    else
        "$binary" service status </dev/null >/dev/null 2>&1
    fi
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

# Whether a process is the gateway: the number may be another program's by now.
is_gateway() {
    if [ -r "/proc/${1:-none}/cmdline" ]; then
        running=$(tr '\0' ' ' <"/proc/$1/cmdline")
    else
        running=$(ps -p "${1:-0}" -o args= 2>/dev/null) || running=''
    fi
    case $running in
    "$binary run"*) ;;
    *) return 1 ;;
    esac
}

# Ends the gateway that this script has started before.
stop_in_background() {
    pid=$(cat "$state/gateway.pid" 2>/dev/null) || return 0
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        is_gateway "$pid" && kill "$pid" 2>/dev/null || return 0
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
    own_token=$(as_owner cat "$state/auth-token" 2>/dev/null </dev/null) || return 1
    [ -n "$own_token" ] &&
        [ "$(printf 'header = "Authorization: Bearer %s"\n' "$own_token" |
            curl -sS -o /dev/null -w '%{http_code}' --max-time 20 -K - \
                "$ORIGIN/gateway/$gateway_id" 2>/dev/null)" = 426 ]
}

give_up() {
    say 'The gateway did not come online. This is what it says of itself:' >&2
    as_owner "$binary" doctor --config "$settings" </dev/null >&2 || true
    [ ! -r "$state/gateway.log" ] || tail -n 10 "$state/gateway.log" >&2
    exit 1
}

# Removes what was installed by whoever runs this: root's service, or one's own gateway. None of it
# needs the gateway's binary.
uninstall() {
    find_installed
    list=$(list_installed)
    if [ -z "$list" ] && { [ "$purge" = no ] || [ "$is_ours-$sessions" = no-no ]; }; then
        say 'There is nothing of chatcode here to be removed.'
        tell_left
        return
    fi
    say 'This is stopped and removed:'
    [ -z "$list" ] || say "$list" | sed 's/^/  /'
    [ "$purge-$sessions" != yes-yes ] || say "  the sessions that run, with all that runs in them"
    [ "$purge-$is_ours" != yes-yes ] || say "  the user $owner with all files in $home, and what sudo logged"
    if [ "$dry_run" = yes ]; then
        say 'Nothing was done.'
        return
    fi
    stop_gateway
    [ "$purge-$sessions" != yes-yes ] || as_owner tmux -L "$socket" kill-server </dev/null || true
    stop_lingering
    remove_files
    [ "$purge-$is_ours" != yes-yes ] || remove_user
    say 'It is removed.'
    tell_left
}

# Sets whose installation it is and where, and what is known of its sessions.
find_installed() {
    os=$(uname -s) owner=$(id -un 2>/dev/null || id -u) as_root=no is_ours=no sessions=no
    home=${HOME:-$(eval "echo ~$owner")}
    system=/etc/systemd/system
    if [ "$(id -u)" = 0 ] &&
        { [ -e /etc/chatcode/installed ] || [ -d "$LIBRARY" ] || is_made_here vibe; }; then
        as_root=yes
        owner=$(sed -n 's/^owner=//p; s/^User=//p' /etc/chatcode/installed \
            "$system/$NAME.service" 2>/dev/null | head -n 1)
        is_user "$owner" || owner=vibe
        home=$(eval "echo ~$owner")
    fi
    [ ! -d "${XDG_STATE_HOME:-/nonexistent}/chatcode" ] || service=no
    find_places
    unit=$home/.config/systemd/user/$NAME.service
    wants=$home/.config/systemd/user/default.target.wants/$NAME.service
    [ "$os" != Darwin ] || unit=$home/Library/LaunchAgents/$NAME.plist
    [ "$as_root" = no ] || unit=$system/$NAME.service wants=$system/multi-user.target.wants/$NAME.service
    workspace=$(setting GATEWAY_WORKSPACE) socket=$(setting GATEWAY_TMUX_SOCKET)
    workspace=${workspace:-$home/workspace} socket=${socket:-chatcode}
    if is_made_here "$owner"; then is_ours=yes; fi
    if as_owner tmux -L "$socket" list-sessions </dev/null >/dev/null 2>&1; then sessions=yes; fi
}

list_installed() {
    for path in "$unit" "$wants" "$binary" "$binary.old" "$binary.new" "$binary.keep" \
        "${settings%/*}" "$home/Library/Logs/$NAME.log"; do
        present "$path"
    done
    # A folder of another name may hold other things.
    case $state in */chatcode) present "$state" ;; esac
    [ "$as_root" = yes ] || return 0
    present "$LIBRARY"
    present "$SUDOERS"
    if grep -q "From chatcode's install.sh" "$COMMAND" 2>/dev/null; then say "$COMMAND"; fi
}

present() {
    if [ -e "$1" ] || [ -L "$1" ]; then say "$1"; fi
}

stop_gateway() {
    if [ "$os" = Darwin ]; then
        launchctl bootout "gui/$(id -u)/$NAME" </dev/null >/dev/null 2>&1 || true
    else
        manage stop "$NAME"
    fi
    stop_in_background
}

# Asks systemd, where it runs.
manage() {
    if [ "$as_root" = yes ]; then
        systemctl "$@" </dev/null >/dev/null 2>&1 || true
    else
        XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)} \
            systemctl --user "$@" </dev/null >/dev/null 2>&1 || true
    fi
}

# The end of lingering would be the end of the sessions.
stop_lingering() {
    lingers=no
    is_lingering || return 0
    [ "$is_ours" = yes ] || grep -q '^linger=yes' "$record" 2>/dev/null || return 0
    lingers=yes
    [ "$sessions-$purge" != yes-no ] || return 0
    if loginctl disable-linger "$owner" </dev/null >/dev/null 2>&1 ||
        sudo -n loginctl disable-linger "$owner" </dev/null >/dev/null 2>&1; then
        lingers=no
    fi
}

remove_files() {
    made=$(sed -n 's/^made=//p' "$record" 2>/dev/null || true)
    [ -z "$list" ] || say "$list" | while IFS= read -r path; do
        # Where the state is, the owner may have said: root removes nothing for them. The folder itself
        # may be in one of root's; then it stays, and is told.
        case $path in
        "$home"/*) as_owner rm -rf "$path" </dev/null ;;
        "$state") as_owner rm -rf "$path" </dev/null 2>/dev/null || true ;;
        *) rm -rf "$path" ;;
        esac
    done
    printf '%s\n' "$made" "$workspace" | while IFS= read -r folder; do
        as_owner rmdir "$folder" </dev/null 2>/dev/null || true
    done
    [ "$os" = Darwin ] || manage daemon-reload
}

# All that runs as a user who was made here for nothing else ends, and then the user.
remove_user() {
    loginctl terminate-user "$owner" </dev/null >/dev/null 2>&1 || true
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        processes=$(find /proc -maxdepth 1 -name '[1-9]*' -user "$owner" 2>/dev/null)
        [ -n "$processes" ] || break
        for process in $processes; do kill -KILL "${process#/proc/}" 2>/dev/null || true; done
        sleep 1
    done
    userdel --remove "$owner" </dev/null >/dev/null 2>&1 || true
    if is_made_here "$owner"; then fail "the user $owner could not be removed: userdel --remove $owner says why"; fi
    rm -f "$SUDO_LOG"
}

advice() {
    if [ "$as_root" = yes ]; then
        say "su -s /bin/sh $owner -c 'tmux -L $socket $1'"
    else
        say "tmux -L $socket $1"
    fi
}

# What a person may want to keep or to end is theirs to decide.
tell_left() {
    if [ "$is_ours" = yes ] && [ "$purge" = yes ]; then return; fi
    if [ "$sessions-$purge" = yes-no ]; then
        say "Sessions go on. To see them: $(advice attach); to end them: $(advice kill-server)"
        [ "${lingers:-no}" = no ] || say "Once they have ended: loginctl disable-linger $owner"
    fi
    [ ! -d "$workspace" ] || say "Left: $workspace, with what was made in sessions."
    [ ! -d "$state" ] || say "Left: $state, which the settings named: the gateway's own files."
    if grep -q ' chatcode:' "$home/.ssh/authorized_keys" 2>/dev/null; then
        say "Left: SSH keys that were added on the server's page, in $home/.ssh/authorized_keys."
    fi
    if [ "$is_ours" = yes ]; then
        say "Left: the user $owner with $home; --uninstall --purge removes both."
    fi
    [ "$as_root" = no ] || [ ! -e "$SUDO_LOG" ] || say "Left: $SUDO_LOG"
}

main "$@"
