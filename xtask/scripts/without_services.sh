# Runs a command (apt-get) while no package may start a service: a developer's machine must not gain a database
# server on a default port. Debian's maintainer scripts ask policy-rc.d first, and 101 means no. What was there
# before is put back, after Ctrl-C too.
policy=/usr/sbin/policy-rc.d
restore() {
    rm -f "$policy"
    [ ! -e "$policy.before" ] || mv "$policy.before" "$policy"
}
# After a run that could not put it back, the file of before is still the first one.
[ ! -e "$policy" ] || [ -e "$policy.before" ] || mv "$policy" "$policy.before"
trap restore EXIT
trap 'exit 130' HUP INT TERM
printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && "$@"
