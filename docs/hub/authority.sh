#!/bin/sh
# The town's certification authority in one directory: certificates for the broker, the nodes and the people at the centre,
# the list of those that are revoked, and renewals. Needs openssl. Keep the directory on a machine that is neither node nor
# broker; its ca.key makes anybody the hub.
set -eu
umask 077

usage() {
    cat <<'TEXT'
Usage: authority.sh COMMAND, in the authority's directory
  init TOWN          make ca.pem, ca.key and an empty crl.pem, once
  broker HOST...     broker.pem and broker.key; every name or address that clients dial
  node ID            ID.pem and ID.key for the node of that [node] id
  role NAME          the same for hub, watch-N, police-N, simulator or home-assistant
  renew NAME         another pair for a name that has one; the former stays good until it ends or is revoked
  revoke NAME        every certificate under that name
  revoke-former NAME every one but the newest
  crl                crl.pem anew: it is good for 40 days; once a month, by cron
  list               what is issued, until when, and what is revoked
VIGIE_DAYS, 825 if not set, is how long a certificate is good.
TEXT
}

fail() {
    echo "authority.sh: $1" >&2
    exit 1
}

# What authority.sh asks of openssl; $NAMES is what a broker's certificate is for.
settings() {
    cat >openssl.cnf <<TEXT
[ca]
default_ca = town
[town]
dir = .
database = index.txt
new_certs_dir = issued
certificate = ca.pem
private_key = ca.key
serial = serial
crlnumber = crlnumber
default_md = sha256
default_days = ${VIGIE_DAYS:-825}
default_crl_days = 40
unique_subject = no
policy = any
[any]
organizationName = optional
organizationalUnitName = optional
commonName = supplied
[req]
distinguished_name = nothing
prompt = no
[nothing]
CN = replaced
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
authorityKeyIdentifier = keyid
subjectAltName = ${NAMES:-DNS:none.invalid}
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
authorityKeyIdentifier = keyid
TEXT
}

is_role() {
    printf %s "$1" | grep -Eq '^(hub|watch|police|simulator|home-assistant)(-[a-z0-9_-]+)?$'
}

# Names that mean somebody else than a node: the same list as in `vigie check`.
is_reserved() {
    is_role "$1" || printf %s "$1" | grep -Eq '^(broker|ca)(-[a-z0-9_-]+)?$'
}

# issue NAME UNIT EXTENSIONS: a fresh key and a certificate, which appear under NAME together or not at all.
issue() {
    settings
    openssl ecparam -name prime256v1 -genkey -noout -out new.key
    openssl req -new -utf8 -config openssl.cnf -key new.key -subj "/O=$(cat town)/OU=$2/CN=$1" -out new.csr
    openssl ca -batch -notext -config openssl.cnf -extensions "$3" -in new.csr -out new.pem 2>new.log || {
        cat new.log >&2
        fail "openssl did not sign: see above"
    }
    mv new.key "$1.key"
    mv new.pem "$1.pem"
    rm -f new.csr new.log
    echo "$1.pem and $1.key: good until $(openssl x509 -in "$1.pem" -noout -enddate | cut -d= -f2)"
}

# Serials of the good certificates under a name, oldest first.
good() {
    awk -F '\t' -v end="/CN=$1" '$1 == "V" && substr($6, length($6) - length(end) + 1) == end { print $4 }' index.txt
}

revoke() {
    for serial in $1; do
        openssl ca -batch -config openssl.cnf -revoke "issued/$serial.pem" 2>/dev/null
        echo "revoked: certificate $serial of $2"
    done
    list_revoked
    echo "take crl.pem to the broker, and reload it: until then they still get in"
}

list_revoked() {
    settings
    openssl ca -batch -config openssl.cnf -gencrl -out crl.new 2>/dev/null
    mv crl.new crl.pem
}

[ $# -ge 1 ] || { usage; exit 2; }
command=$1
shift
[ "$command" = init ] || [ "$command" = help ] || [ -f ca.key ] || fail "there is no authority in $(pwd): cd to it, or make one with init"
case $command in
crl | list | help) ;;
*) [ $# -ge 1 ] || { usage; exit 2; } ;;
esac

case $command in
init)
    [ ! -e ca.key ] || fail "there is an authority in $(pwd) already: another one would shut out everybody it let in"
    printf '%s' "$1" | tr -d '/\n' >town
    mkdir -p issued
    : >index.txt
    echo 1000 >crlnumber
    openssl rand -hex 16 >serial
    settings
    openssl ecparam -name prime256v1 -genkey -noout -out ca.key
    openssl req -new -x509 -utf8 -config openssl.cnf -extensions authority -days 7300 -sha256 -key ca.key \
        -subj "/O=$(cat town)/CN=$(cat town) video protection" -out ca.pem
    list_revoked
    echo "ca.pem goes to every node and the broker, ca.key goes nowhere"
    ;;
broker)
    NAMES=
    for host in "$@"; do
        case $host in
        *:*) kind=IP ;;
        *[!0-9.]*) kind=DNS ;;
        *) kind=IP ;;
        esac
        NAMES="${NAMES:+$NAMES,}$kind:$host"
    done
    printf %s "$NAMES" >broker.names
    issue broker "vigie-broker" server
    ;;
node)
    printf %s "$1" | grep -Eq '^[a-z0-9][a-z0-9_-]{0,62}$' || fail "'$1' is no [node] id: small letters, digits, - and _"
    ! is_reserved "$1" || fail "'$1' is the name of somebody at the centre: give the node another [node] id"
    [ -z "$(good "$1")" ] || fail "'$1' has a certificate already: renew it, or revoke it first"
    issue "$1" "vigie-node" client
    ;;
role)
    is_role "$1" || fail "'$1' is no role: hub, watch-N, police-N, simulator or home-assistant, as in hub.acl"
    [ -z "$(good "$1")" ] || fail "'$1' has a certificate already: renew it, or revoke it first"
    issue "$1" "vigie-centre" client
    ;;
renew)
    [ -n "$(good "$1")" ] || fail "'$1' has no certificate to renew"
    if [ "$1" = broker ]; then
        NAMES=$(cat broker.names)
        issue broker "vigie-broker" server
    elif is_role "$1"; then
        issue "$1" "vigie-centre" client
    else
        issue "$1" "vigie-node" client
    fi
    ;;
revoke)
    [ -n "$(good "$1")" ] || fail "'$1' has no certificate to revoke"
    settings
    revoke "$(good "$1")" "$1"
    ;;
revoke-former)
    settings
    revoke "$(good "$1" | sed '$d')" "$1"
    ;;
crl)
    list_revoked
    ;;
list)
    awk -F '\t' '{ print ($1 == "R" ? "revoked" : "good   "), $2, $4, $6 }' index.txt
    ;;
help) usage ;;
*)
    usage
    exit 2
    ;;
esac
