#!/bin/sh
# Brings a Linux machine back to before chatcode: for everybody on it, not for one person alone.
# Destructive: it ends all sessions with all that runs in them, and removes the user that the
# installer made with all their files. What people made in homes of their own stays, and is told.
#
#   sudo sh cleanup.sh         says what it would do
#   sudo sh cleanup.sh --yes   does it
#
# It wants install.sh beside it, as a deployment serves it or from the repository.
set -eu

usage() {
    cat <<END
usage: sudo sh cleanup.sh [--yes]

Removes everybody's gateway from this machine, and ends all sessions. Without --yes it only says
what it would do. For one person alone: sh install.sh --uninstall [--purge]
END
}

fail() {
    printf 'chatcode: %s\n' "$*" >&2
    exit 1
}

main() {
    how=--dry-run
    case ${1-} in
    --yes) how='' ;;
    --help)
        usage
        exit 0
        ;;
    '') ;;
    *) fail "there is no option $1; --help lists them" ;;
    esac
    installer=$(dirname "$0")/install.sh
    [ -r "$installer" ] || fail "there is no $installer: fetch it from your deployment, as the line does"
    [ "$(uname -s)" = Linux ] || fail 'this is for Linux; elsewhere: sh install.sh --uninstall --purge'
    [ "$(id -u)" = 0 ] || fail 'only root can do this for everybody: put sudo before sh'
    echo '== the machine'
    # shellcheck disable=SC2086 # It is one word or none.
    sh "$installer" --uninstall --purge $how </dev/null
    people | while IFS=: read -r name home; do
        echo "== $name"
        of "$name" "$home"
    done
    [ -z "$how" ] || fail 'nothing was done; with --yes it is'
}

# Names and homes of those who have anything of a gateway; the user that is removed as a whole is
# none of them.
people() {
    grep -v ':chatcode sessions:' /etc/passwd | cut -d : -f 1,6 | while IFS=: read -r name home; do
        for there in .local/bin/chatcode-gateway .config/chatcode .local/state/chatcode; do
            if [ "$name" != root ] && [ -e "$home/$there" ]; then
                printf '%s:%s\n' "$name" "$home"
                break
            fi
        done
    done
}

# Has a person remove what is theirs: root follows no link in their home.
of() {
    # shellcheck disable=SC2016 # Their shell expands it.
    (cd / && su -s /bin/sh -c 'export HOME="$1" XDG_RUNTIME_DIR="/run/user/$(id -u)"; shift
        unset XDG_STATE_HOME
        exec sh -s -- "$@"' -- "$1" sh "$2" --uninstall --purge ${how:+"$how"}) <"$installer"
}

main "$@"
