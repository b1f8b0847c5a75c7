// Keeps a page fresh: when the server says that there is news, fetches the page again and puts in what changed.
"use strict";
(() => {
  const offline = document.getElementById("offline");
  let busy = false, again = false;

  const reading = () => {
    const chosen = document.getSelection();
    return (chosen && !chosen.isCollapsed) || document.hidden;
  };

  async function renew() {
    if (busy || reading()) { again = true; return; }
    busy = true;
    again = false;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of ["main", "footer", ".top"]) {
        const here = document.querySelector(part), there = fresh.querySelector(part);
        if (here && there && here.innerHTML !== there.innerHTML) swap(here, there);
      }
      banners(fresh);
      local();
    } catch { /* the stream says when the server is gone */ } finally { busy = false; }
  }

  // Scrolled tables stay where they are, and so does the keyboard's place.
  function swap(here, there) {
    const scrolled = [...here.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
    const open = [...here.querySelectorAll("details")].map((part) => part.open);
    const at = document.activeElement, href = here.contains(at) ? at.getAttribute("href") : null;
    here.replaceChildren(...there.childNodes);
    [...here.querySelectorAll(".scroll")].forEach((box, n) => { box.scrollLeft = scrolled[n] || 0; });
    [...here.querySelectorAll("details")].forEach((part, n) => { part.open = open[n] || false; });
    if (href) [...here.querySelectorAll("a")].find((a) => a.getAttribute("href") === href)?.focus({ preventScroll: true });
  }

  function banners(fresh) {
    offline.replaceChildren(...fresh.getElementById("offline").childNodes);
    document.querySelectorAll("body > .banner:not(#offline)").forEach((banner) => banner.remove());
    fresh.querySelectorAll("body > .banner:not(#offline)").forEach((banner) => document.getElementById("main").before(banner));
  }

  function local() {
    document.querySelectorAll("time[datetime]").forEach((time) => { time.title = new Date(time.dateTime).toLocaleString(); });
    count();
  }

  function count() {
    const now = Math.floor(Date.now() / 1000);
    document.querySelectorAll("time.ago").forEach((time) => {
      const passed = Math.max(0, now - Number(time.dataset.at));
      time.textContent = passed < 120 ? `${passed} s ago` : passed < 7200 ? `${Math.floor(passed / 60)} m ago` : `${Math.floor(passed / 3600)} h ago`;
      time.title = new Date(Number(time.dataset.at) * 1000).toLocaleString();
    });
  }

  const source = new EventSource("/api/v1/events");
  let first = true;
  source.addEventListener("news", () => { offline.hidden = true; if (first) { first = false; return; } renew(); });
  source.addEventListener("error", () => { offline.hidden = false; });
  document.addEventListener("visibilitychange", () => { if (again && !document.hidden) renew(); });
  setInterval(() => { count(); if (again) renew(); }, 1000);

  // g and a letter go to a page: the letters stand in the page list.
  let pressed = "";
  document.addEventListener("keydown", (key) => {
    if (key.ctrlKey || key.metaKey || key.altKey || /INPUT|TEXTAREA|SELECT/.test(key.target.tagName)) return;
    const link = pressed === "g" && document.querySelector(`nav a[data-key="${CSS.escape(key.key)}"]`);
    pressed = key.key;
    if (link) link.click();
  });
  local();
})();
