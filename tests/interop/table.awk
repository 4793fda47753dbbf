# SPDX-License-Identifier: Apache-2.0
# The tables of docs/servers.md and docs/clients.md: explained.tsv and results.tsv, in that order, into Markdown.
BEGIN { FS = "\t" }
FILENAME == "explained.tsv" { why[$1] = $2; next }
!($1 in known) { known[$1] = 1; who[++count] = $1 }
$3 != "" {
    split($3, found, " ")
    token = found[1]
    if (!(token in seen)) { seen[token] = 1; tokens[++token_count] = token }
    key = token SUBSEP $1 SUBSEP ($3 ~ /in doubt$/ ? "*in doubt*" : "**served**")
    if (key in versions) versions[key] = versions[key] "," found[2]
    else versions[key] = found[2]
}
function cell(token, name,    text, key, i) {
    text = ""
    for (i = 1; i <= 2; i++) {
        key = token SUBSEP name SUBSEP (i == 1 ? "**served**" : "*in doubt*")
        if (key in versions) {
            text = text (text == "" ? "" : ", ") (i == 1 ? "**served**" : "*in doubt*")
            if (versions[key] != "1.2,1.3" && versions[key] !~ /^1\.[01]$/) text = text " " versions[key]
        }
    }
    return text == "" ? "refused" : text
}
END {
    for (i = 1; i <= token_count; i++) for (k = i; k > 1 && tokens[k] < tokens[k - 1]; k--) {
        swap = tokens[k]; tokens[k] = tokens[k - 1]; tokens[k - 1] = swap
    }
    printf "| case |"
    for (w = 1; w <= count; w++) printf " %s |", who[w]
    printf "\n| --- |"
    for (w = 1; w <= count; w++) printf " --- |"
    print ""
    for (i = 1; i <= token_count; i++) {
        printf "| `%s` |", tokens[i]
        for (w = 1; w <= count; w++) printf " %s |", cell(tokens[i], who[w])
        print ""
    }
    print "\n## Why\n"
    for (i = 1; i <= token_count; i++) if (tokens[i] in why) printf "- `%s`: %s\n", tokens[i], why[tokens[i]]
    for (i = 1; i <= token_count; i++) if (!(tokens[i] in why) && !("*" in why)) {
        print "explained.tsv does not explain " tokens[i] > "/dev/stderr"
        bad = 1
    }
    exit bad
}
