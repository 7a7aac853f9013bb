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
examiner=$(realpath "$(dirname "$0")/page.js")
browser=${CHROMIUM:-chromium}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

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
    sed "0,/<head>/s||<head><script src=\"file://$examiner\"></script>|" "$1" > "$work/examined.html"
    failed=0
    for width in 320 1400; do
        title=$(open_page examined.html "$width" --dump-dom | sed -n 's:.*<title>\(.*\)</title>.*:\1:p' | head -1)
        echo "$width: ${title:=FAIL no browser}"
        case $title in PASS*) ;; *) failed=1 ;; esac
        # A page has nothing to say there.
        sed -n 's/.*:CONSOLE[^]]*] /console: /p' "$work/log" | grep . && failed=1
    done
    return $failed
}

# What spoils a page: a name, what is to be said of it, a script at the end of the page's own.
faults='
error|script: .*missing|missing()
late error|script: .*missing|setTimeout(() => missing(), 3000)
rejection|rejection: Error: late|Promise.reject(new Error("late"))
console|console: "said"|console.error("said")
lost image|script: no <img|document.body.append(Object.assign(new Image(), { src: "lost.png" }))
no plot|no plot|for (const plot of plots) plot.remove()
all hidden|hidden plot|for (const plot of plots) plot.style.visibility = "hidden"
one hidden|hidden plot|last.style.visibility = "hidden"
transparent|hidden plot|last.style.opacity = 0
faint figure|hidden plot|last.closest("figure").style.opacity = .01
not displayed|small plot|last.style.display = "none"
zero size|small plot|last.style.cssText = "width: 0; min-width: 0; height: 0"
covered|plot out of reach|last.parentElement.style.clipPath = "inset(100%)"
hidden lines|hidden polyline|for (const line of lines) line.style.visibility = "hidden"
lines unpainted|hidden polyline|for (const line of lines) line.style.stroke = "transparent"
lines 5000 right|polyline outside its plot|move(lines, 5000, 0)
lines 5000 down|polyline outside its plot|move(lines, 0, 5000)
a curve beside its axes|curve outside its axes|move([curve], 0, 200)
curves and marks lost|empty panel|for (const mark of document.querySelectorAll("circle,polyline[stroke-width=\"16\"]")) mark.remove()
wide page|320: FAIL page [0-9]* pixels too wide|document.body.insertAdjacentHTML("beforeend", "<p style=\"width: 700px\">wide")
text clipped|320: FAIL text beyond the edge|document.body.style.overflow = "clip"; document.body.insertAdjacentHTML("beforeend", "<p style=\"white-space: nowrap\">" + "wide ".repeat(50))
dead heading|table that does not|button.replaceWith(button.cloneNode(true))
sort that throws|script: .*missing|button.addEventListener("click", () => missing())
sort that loses a row|table that loses rows|button.addEventListener("click", () => table.tBodies[0].rows[0].remove())
sort always up|table that does not reverse|table.addEventListener("click", () => button.closest("th").removeAttribute("aria-sort"), true)
sort by text|table that does not sort|for (const cell of document.querySelectorAll("td")) cell.textContent = cell.textContent.split("").reverse().join("")
'
