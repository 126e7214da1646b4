# Runs a session's program and keeps how it ended, for the gateway may be gone by then.
# Arguments: the file for the exit code; how many words follow that make a scope, and these words;
# the program. Names begin with _cc_, because a variable of the session with the same name would
# lose its value.
_cc_exit=$1
_cc_scope=$2
_cc_base=${1%.exit}
_cc_path=$PATH
shift 2

# Ctrl-C is for the program.
trap : INT QUIT

if [ "$_cc_scope" -gt 0 ]; then
    # In the scope this script runs again and removes the file. Where systemd refuses, it stays.
    : >"$_cc_base.scope"
    "$@" 2>/dev/null
    _cc_code=$?
    [ -f "$_cc_base.scope" ] || exit "$_cc_code"
    rm -f "$_cc_base.scope"
    shift "$_cc_scope"
    exec "$@"
fi
if [ -f "$_cc_base.scope" ]; then
    rm -f "$_cc_base.scope"
    exec 2>&1
fi

# Variables that tmux cannot take.
if [ -f "$_cc_base.env" ]; then
    _cc_set=$(cat "$_cc_base.env")
    rm -f "$_cc_base.env"
    eval "$_cc_set"
fi

# When memory runs out, sessions end before tmux and the gateway do.
(
    { echo 500 >/proc/self/oom_score_adj; } 2>/dev/null
    exec "$@"
)
_cc_code=$?
PATH=$_cc_path

# Killed, and by the kernel for the memory of this scope?
_cc_why=
if [ "$_cc_code" = 137 ]; then
    _cc_group=$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null)
    case $_cc_group in
    */chatcode-*.scope)
        grep -q '^oom_kill [1-9]' "/sys/fs/cgroup$_cc_group/memory.events" && _cc_why=' out_of_memory'
        ;;
    esac
fi
umask 077
echo "$_cc_code$_cc_why" >"$_cc_exit.new" && mv "$_cc_exit.new" "$_cc_exit"
# A pane of tmux that ends at once loses its last output.
sleep 0.3
exit "$_cc_code"
