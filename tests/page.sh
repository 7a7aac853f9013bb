#!/bin/sh
# Opens a study's page in headless Chromium, 320 and 1400 pixels wide: no script error, every plot visible, its
# curves within its axes, no text beyond the window's edge, tables that sort. Not part of the CI, which has no
# browser.
#
#   cargo run --release --example study -- run examples/study/quick.json
#   sh tests/page.sh target/fireproof/study/quick/index.html
#   sh tests/page.sh --self-test target/fireproof/study/quick/index.html
#
# With `--self-test` it spoils copies of a page that passes, in one way each, and fails if one of them passes. Needs
# `chromium` on the path, or its name in CHROMIUM. Screenshots are written beside the page, but not by `--self-test`.
set -eu
self_test=
if [ "${1:-}" = --self-test ]; then
    self_test=yes
    shift
fi
page=$(realpath "${1:?the page to open}")
browser=${CHROMIUM:-chromium}
command -v "$browser" >/dev/null || { echo "FAIL: no $browser"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$(dirname "$0")/page.js" "$work"

# Opens $1 in a frame of $2 pixels, as a window is no narrower than 500.
open_page() {
    printf '<!DOCTYPE html><title>FAIL no verdict</title><body style="margin:0"><iframe style="border:0;width:%spx;height:4000px" src="%s"></iframe>' \
        "$2" "$1" > "$work/frame.html"
    size="$(($2 > 500 ? $2 : 500)),4000"
    shift 2
    "$browser" --headless=new --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" \
        --allow-file-access-from-files --enable-logging=stderr --virtual-time-budget=15000 --window-size="$size" \
        "$@" "file://$work/frame.html" 2>"$work/log"
}

# Says what is wrong with $1 at either width. The examiner comes before the page's own scripts: it misses no error.
examine() {
    sed '0,/<head>/s||<head><script src="page.js"></script>|' "$1" > "$work/examined.html"
    failed=
    for width in 320 1400; do
        title=$(open_page examined.html "$width" --dump-dom | sed -n 's:.*<title>\(.*\)</title>.*:\1:p' | head -1 |
            sed 's/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g')
        echo "$width: ${title:=FAIL no browser}"
        # A page has nothing to say on the console.
        said=$(sed -n 's/, source: file:[^ ]*//; s/.*:CONSOLE[^]]*] /console: /p' "$work/log")
        [ -z "$said" ] || echo "$width: FAIL $said"
        case $said$title in PASS*) ;; *) failed="$failed $width" ;; esac
    done
    [ -z "$failed" ]
}

# What spoils a page: a name, what is to be said of it, a script after the page's own.
faults='
error|script: .*missing|missing()
late error|script: .*missing|setTimeout(() => missing(), 3000)
rejection|rejection: Error: late|Promise.reject(new Error("late"))
console|320: FAIL console: "said"|console.error("said")
lost image|script: no <img|document.body.append(Object.assign(new Image(), { src: "lost.png" }))
no plot|no plot|for (const plot of plots) plot.remove()
all plots hidden|hidden plot|for (const plot of plots) plot.style.visibility = "hidden"
plot hidden|hidden plot|last.style.visibility = "hidden"
plot transparent|hidden plot|last.style.opacity = 0
figure faint|hidden plot|last.closest("figure").style.opacity = .01
plot not displayed|small plot|last.style.display = "none"
plot of no size|small plot|last.style.cssText = "width: 0; min-width: 0; height: 0"
plot clipped|plot out of reach|last.parentElement.style.clipPath = "inset(100%)"
lines hidden|hidden polyline|for (const line of lines) line.style.visibility = "hidden"
lines unpainted|hidden polyline|for (const line of lines) line.style.stroke = "transparent"
lines moved right|polyline outside its plot|move(lines, 5000, 0)
lines moved down|polyline outside its plot|move(lines, 0, 5000)
curve moved|curve outside its axes|move([lines.findLast(line => line.points.length > 2)], -400, 0)
marks lost|empty panel|for (const mark of document.querySelectorAll("circle,polygon,polyline:not([stroke-width=\"8\"])")) mark.remove()
page wide|320: FAIL page [0-9]* pixels too wide|add("<p style=\"width: 700px\">wide</p>")
text clipped|text beyond the edge|add("<div style=\"overflow: clip\"><p style=\"white-space: nowrap\">" + "wide ".repeat(99))
heading dead|table that does not reverse|button.replaceWith(button.cloneNode(true))
sort throws|script: .*missing|button.addEventListener("click", () => missing())
sort loses a row|table that loses rows|button.addEventListener("click", () => body.rows[0].remove())
sort only up|table that does not reverse|addEventListener("click", () => button.parentElement.ariaSort = null, true)
sort without order|table that does not sort|Array.prototype.sort = function () { return this; }
'
# What these scripts know.
names='const plots = [...document.querySelectorAll("figure svg")], last = plots.at(-1);
const lines = [...document.querySelectorAll("polyline")];
const move = (lines, x, y) => lines.forEach(line => line.setAttribute("transform", `translate(${x}, ${y})`));
const add = html => document.body.insertAdjacentHTML("beforeend", html);
const button = [...document.querySelectorAll("th button")].at(-1), body = button.closest("table").tBodies[0];'

if [ -z "$self_test" ]; then
    cp "$page" "$work/shown.html"
    for width in 320 1400; do
        open_page shown.html "$width" --screenshot="$(dirname "$page")/page-$width.png"
    done
fi
examine "$page" || { echo "FAIL at$failed pixels"; exit 1; }
[ -n "$self_test" ] || { echo "PASS"; exit; }

passed=0
printf '%s' "$faults" > "$work/faults"
while IFS='|' read -r name reason script; do
    [ -n "$name" ] || continue
    { cat "$page"; printf '<script>{ %s\n%s }</script>\n' "$names" "$script"; } > "$work/spoilt.html"
    if examine "$work/spoilt.html" > "$work/said"; then
        echo "passes: $name"
        passed=$((passed + 1))
    elif ! grep -m1 "$reason" "$work/said" | sed "s/^/refused: $name: /" | grep .; then
        echo "refused for another reason: $name: $(cat "$work/said")"
        passed=$((passed + 1))
    fi
done < "$work/faults"
[ $passed = 0 ] || { echo "FAIL: $passed of the spoilt pages"; exit 1; }
echo "PASS"
