# Waits until whoever started it has ended, in whatever way, and then ends every process that works inside a
# folder and removes the folder. Its standard input is a pipe whose other end its starter holds and never writes.
folder=$1
cat
for attempt in 1 2 3 4 5 6 7 8 9 10; do
    # The name is random, so that its last part alone tells the folder.
    for process in $(find /proc/[0-9]*/cwd -maxdepth 0 -lname "*/${folder##*/}*"); do
        process=${process#/proc/}
        kill -s KILL "${process%/cwd}"
    done
    # A PostgreSQL that was killed leaves a few bytes of shared memory behind, whose number it has written down.
    for process_file in "$folder"/*/postmaster.pid; do
        [ -f "$process_file" ] && ipcrm --shmem-id "$(awk 'NR == 7 { print $2 }' "$process_file")"
    done
    # A process that is just ending may still add a file.
    rm -rf "$folder" && exit
    sleep 0.2
done
