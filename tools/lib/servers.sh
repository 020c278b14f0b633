# SPDX-License-Identifier: Apache-2.0
# servers.sh: puts the servers of the fleet's tests into the cache: each once, in a folder named by its version, under a
# lock. Nothing runs afterwards: tests start their own. Sourced by tools/setup, after common.sh.
# shellcheck shell=bash
servers=$cache/servers
servers_list=$root/tests/lib/servers.txt
kafka_pom=$root/tests/lib/kafka/pom.xml

# redis-tools has the program redis-server too, under another name, and without a service that starts by itself.
servers_packages=(redis-tools openjdk-17-jre-headless maven)
go_package=golang-go

go_wanted() { sed -n 's/^toolchain go//p' "$servers_list"; }

go_at_least() { # go_at_least PROGRAM VERSION
  local have
  have=$("$1" env GOVERSION 2>/dev/null) && [ "$(printf '%s\n%s\n' "${have#go}" "$2" | sort -V | head -n 1)" = "$2" ]
}

# A Go on this machine that is new enough, or nothing. Debian 12's own is too old, and does to fetch a newer one.
go_here() {
  local program
  for program in "$(command -v go || true)" /usr/local/go/bin/go; do
    if [ -x "$program" ] && go_at_least "$program" "$(go_wanted)"; then printf '%s\n' "$program"; return; fi
  done
}
[ -n "$(go_here)" ] || servers_packages+=("$go_package")

# The Go toolchain is a module like any other: downloaded and checked against the public list of sums by an old Go.
fetch_go() {
  local version folder
  version=$(go_wanted) folder=$servers/go-$version
  if [ ! -e "$folder/complete" ]; then
    say "fetching Go $version" >&2
    local scratch
    scratch=$(mktemp -d "$servers/go.XXXXXX")
    (cd "$scratch" && GOFLAGS=-modcacherw GOMODCACHE=$scratch/cache /usr/bin/go mod download -json \
      "golang.org/toolchain@v0.0.1-go$version.linux-$(dpkg --print-architecture)" >module.json) &&
      rm -rf "$folder" && mv "$scratch"/cache/golang.org/toolchain@* "$folder" &&
      chmod -R u+x "$folder/bin" "$folder/pkg/tool" && touch "$folder/complete" || { rm -rf "$scratch"; return 1; }
    rm -rf "$scratch"
  fi
  printf '%s\n' "$folder/bin/go"
}

build_go_server() { # build_go_server NAME PACKAGE VERSION
  local folder=$servers/$1-$3 go made
  [ ! -e "$folder/$1" ] || return 0
  go=$(go_here)
  [ -n "$go" ] || go=$(fetch_go) || return 1
  say "building the server $1 $3"
  rm -rf "$folder.new" && mkdir -p "$folder.new" &&
    (cd "$folder.new" && GOBIN=$folder.new GOTOOLCHAIN=local CGO_ENABLED=0 GOFLAGS=-buildvcs=false \
      "$go" install -ldflags='-s -w' "$2@$3") || return 1
  made=$(basename "$2")
  [ "$made" = "$1" ] || mv "$folder.new/$made" "$folder.new/$1"
  mv -T "$folder.new" "$folder"
}

kafka_folder() { printf '%s/kafka-%s\n' "$servers" "$(sha256sum <"$kafka_pom" | cut -c1-12)"; }

copy_kafka() {
  local folder
  folder=$(kafka_folder)
  [ ! -e "$folder" ] || return 0
  say "copying the jars of Kafka"
  rm -rf "$folder.new" && mkdir -p "$folder.new" && cp "$kafka_pom" "$folder.new/pom.xml" &&
    mvn -B -ntp -q -f "$folder.new/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
      -DincludeScope=runtime -DoutputDirectory="$folder.new/libs" </dev/null && mv -T "$folder.new" "$folder"
}

link_redis() {
  mkdir -p "$servers/redis" && ln -sfn /usr/bin/redis-check-rdb "$servers/redis/redis-server" &&
    "$servers/redis/redis-server" --version >/dev/null
}

install_servers() {
  local kind name package version
  mkdir -p "$servers"
  exec 8>"$servers/lock"
  flock 8 # two tools at once make each once
  link_redis || fail "redis-server does not start"
  while read -r kind name package version; do
    [ "$kind" != go ] || build_go_server "$name" "$package" "$version" || fail "the server $name could not be built"
  done <"$servers_list"
  copy_kafka || fail "the jars of Kafka could not be had"
  exec 8>&-
}
