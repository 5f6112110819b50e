# shellcheck shell=bash
# Debian with a working apt inside, the same package set as the official slim image (priority "required", nothing more: no
# ca-certificates), so that a Dockerfile which forgets a package fails here too. Its sources name this machine's mirror.

suite=$version
packages=()

build() {
  local security sources archive=$scratch/debian.tar extra=()
  need_mirror
  need_tools mmdebstrap:mmdebstrap
  security=$(mirror_of security)
  # An https mirror needs certificates inside before apt can fetch any.
  if [[ $mirror == https:* ]]; then extra=(--include=ca-certificates); fi
  sources=$scratch/debian.sources
  {
    printf 'Types: deb\nURIs: %s\nSuites: %s %s-updates\n' "$mirror" "$suite" "$suite"
    printf 'Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n'
    if [[ -n $security ]]; then
      printf '\nTypes: deb\nURIs: %s\nSuites: %s-security\n' "$security" "$suite"
      printf 'Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n'
    fi
  } >"$sources"
  TMPDIR=$scratch mmdebstrap --quiet --variant=minbase "${extra[@]}" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt=force-unsafe-io \
    --aptopt='Acquire::Languages "none"' \
    --customize-hook="rm -f \"\$1/etc/apt/sources.list\"; install -m644 $sources \"\$1/etc/apt/sources.list.d/debian.sources\"" \
    "$suite" "$archive" "deb $mirror $suite main" 2>"$scratch/log" || { tail -20 "$scratch/log" >&2; die "mmdebstrap failed"; }
  docker import --change 'CMD ["bash"]' --change "ENV PATH=$default_path" --change "LABEL $hash_label=$hash" "$archive" "$tag" >/dev/null
}
