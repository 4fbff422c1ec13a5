// What a page does by itself: it polls while something is awaited, and copies an id. Without it, pages work by reloading.
"use strict";

const live = document.querySelector("[data-poll]");
const seconds = live ? Number(live.dataset.seconds) : 0;

async function poll() {
  if (!document.hidden) {
    try {
      const answer = await fetch(live.dataset.poll, { headers: { "If-None-Match": live.dataset.etag || "" } });
      // 205: the page as a whole is another one now. A page without a place for news waits for any success.
      if (answer.status === 205 || (answer.ok && !live.dataset.etag)) return location.reload();
      if (answer.status === 200) {
        live.innerHTML = await answer.text();
        live.dataset.etag = answer.headers.get("ETag");
      }
    } catch { /* The server is away: the next round tries again. */ }
  }
  setTimeout(poll, seconds * 1000);
}
if (live) setTimeout(poll, seconds * 1000);

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.done;
  });
}
