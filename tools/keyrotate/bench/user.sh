# What a rotation of a Redis user is without keyrotate, in the folder that has `port` and `held`. Killed between any two
# lines it leaves two passwords, or a consumer with one that nobody knows.
set -eu
umask 077
port=$(cat port)
old=$(cat held)
new=$(openssl rand -base64 33 | tr '+/' '-_')
redis-cli -p "$port" ACL SETUSER svc ">$new" >/dev/null
redis-cli -p "$port" ACL SAVE >/dev/null
printf '%s\n' "$new" >held.new
sync held.new
mv held.new held
sync .
redis-cli -p "$port" ACL SETUSER svc "<$old" >/dev/null
redis-cli -p "$port" ACL SAVE >/dev/null
