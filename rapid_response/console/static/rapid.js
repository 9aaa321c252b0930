// Shortens a few things; every page works without it.

// --- what was just done stands in the address, and is said once: a tab that is loaded again an hour later, as
// phones do by themselves, must not say "The job is yours" of a job that somebody else has by then
const here = new URL(location.href);
if (here.searchParams.has("done")) {
  here.searchParams.delete("done");
  history.replaceState(history.state, "", here);
}

// --- parts that keep themselves up to date: data-rr-live="seconds"
for (const region of document.querySelectorAll("[data-rr-live]")) keepUpToDate(region);

function keepUpToDate(region) {
  const every = Number(region.dataset.rrLive) * 1000;
  const lost = document.createElement("p");
  lost.className = "rr-lost";
  lost.setAttribute("role", "status");
  let failing = false;
  let asking = false;
  let shown = region.innerHTML;

  const focused = () => (region.contains(document.activeElement) ? document.activeElement : null);
  // Nothing is taken from under a person's fingers.
  function isInHand() {
    const written = [...region.querySelectorAll("input[type=text], textarea")].some((field) => field.value !== field.defaultValue);
    return written || Boolean(focused()?.matches("input, textarea, select"));
  }

  async function refresh() {
    // A hidden page asks for nothing.
    if (asking || document.hidden || isInHand()) return;
    asking = true;
    // A network that has died says nothing for many minutes, and a board that stands still looks like a quiet one.
    const gaveUp = new AbortController();
    const patience = setTimeout(() => gaveUp.abort(), 15_000);
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error", signal: gaveUp.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(region.id);
      if (!fresh) throw new Error("no region");
      failing = false;
      lost.remove();
      if (isInHand()) return;
      const latest = fresh.innerHTML;
      if (latest !== shown) replace(region, fresh, focused());
      shown = latest;
    } catch {
      if (!failing) {
        failing = true;
        lost.textContent = `Live updates lost at ${new Date().toLocaleTimeString("en-GB", { hour: "numeric", minute: "2-digit" })}. Trying again.`;
        region.before(lost);
      }
    } finally {
      clearTimeout(patience);
      asking = false;
    }
  }
  setInterval(refresh, every);
  scrollThreads(region);
}

function replace(region, fresh, focused) {
  const address = focused && focused.getAttribute("href");
  const reachable = "a, button, summary, [tabindex]";
  const place = focused && [...region.querySelectorAll(reachable)].indexOf(focused);
  const unfolded = [...region.querySelectorAll("details")].map((details) => details.open);
  region.replaceChildren(...fresh.childNodes);
  region.querySelectorAll("details").forEach((details, index) => { details.open ||= Boolean(unfolded[index]); });
  scrollThreads(region);
  if (!focused) return;
  const again = (address && region.querySelector(`a[href="${CSS.escape(address)}"]`)) || region.querySelectorAll(reachable)[place];
  if (again) again.focus({ preventScroll: true });
}

function scrollThreads(region) {
  for (const thread of region.querySelectorAll(".rr-thread")) thread.scrollTop = thread.scrollHeight;
}

// --- a report that was sent, or left in a hurry, is gone: browsers keep what was written in a form for whoever goes back.
// On the public page all of it, since it was shown; of the call handler's only what was sent: another call may wait there
const report = document.querySelector("[data-rr-report]");
const GONE = "rr-reports-gone";
const go = () => sessionStorage.setItem(GONE, String(Date.now()));
if (document.querySelector("[data-rr-sent]")) go();
if (report) {
  const mark = (moment) => history.replaceState({ ...history.state, [moment]: Date.now() }, "");
  if (!history.state?.shown) mark("shown");
  report.addEventListener("submit", () => mark("sent"));
  addEventListener("pagehide", () => {
    if (document.body.classList.contains("govuk-exit-this-page-hide-content")) go();
  });
  addEventListener("pageshow", () => {
    const since = history.state[report.dataset.rrReport];
    if (!since || Number(sessionStorage.getItem(GONE)) < since) return;
    report.reset();
    history.replaceState({ shown: Date.now() }, "");
  });
}

// --- the call handler's form
const form = document.querySelector("[data-rr-handler]");
if (form) {
  const banner = document.getElementById("ring-999");
  const urgent = form.querySelectorAll("[data-rr-urgent] input[value=yes]");
  const show = () => { banner.hidden = ![...urgent].some((input) => input.checked); };
  form.addEventListener("change", show);
  // Ticked already, where the form comes back with a fault, or by the browser's own way back.
  addEventListener("pageshow", show);

  // Whoever closes or reloads the page in the middle of a call is asked first: nothing of it is saved.
  let isUnsaved = !form.querySelector("[data-rr-begins]");
  form.addEventListener("input", () => { isUnsaved = true; });
  form.addEventListener("submit", () => { isUnsaved = false; });
  addEventListener("beforeunload", (event) => {
    if (isUnsaved) event.preventDefault();
  });

  // The call was answered when the first thing is written or ticked, not when the page was opened. Whoever looks
  // something up in the middle of a call and comes back finds what was written, and its time with it.
  const begun = form.querySelector("[data-rr-begins]");
  if (begun) {
    const { opened_at: opened, received_at: answered } = form.elements;
    const loaded = Date.now();
    const remember = () => {
      history.replaceState({ ...history.state, call: { opened: opened.value, answered: answered.value } }, "");
    };
    form.addEventListener("input", (event) => {
      if (begun.value) return;
      begun.value = "yes";
      if (event.target !== answered) {
        const now = new Date(Date.parse(opened.value) + (Date.now() - loaded) * Number(begun.dataset.rrSpeed));
        // Swedish writes a time as such a field holds it.
        const local = new Intl.DateTimeFormat("sv-SE", { timeZone: begun.dataset.rrZone, dateStyle: "short", timeStyle: "short" });
        answered.value = local.format(now).replace(" ", "T");
        opened.value = now.toISOString();
      }
      remember();
    });
    answered.addEventListener("change", remember);
    addEventListener("pageshow", () => {
      const call = history.state?.call;
      const isWritten = [...form.querySelectorAll("input:not([type=hidden]), textarea")].some(
        (field) => field.value !== field.defaultValue || field.checked !== field.defaultChecked,
      );
      if (!call || !isWritten) return;
      isUnsaved = true;
      begun.value = "yes";
      opened.value = call.opened;
      answered.value = call.answered;
    });
  }

  // Where the typing begins, without pushing the first questions off the screen.
  const start = form.querySelector("[data-rr-start]");
  if (start) {
    start.focus({ preventScroll: true });
    start.scrollIntoView({ block: "nearest" });
  }

  const keys = document.querySelector("[data-rr-keys]");
  if (keys) keys.hidden = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key === "Enter") {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.altKey && !event.ctrlKey && /^[1-9]$/.test(event.key)) {
      const part = form.querySelector(`[data-rr-part="${event.key}"] h2`);
      if (part) {
        event.preventDefault();
        part.scrollIntoView({ block: "start" });
        part.focus({ preventScroll: true });
      }
    }
  });
}
