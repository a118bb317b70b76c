// Export in every form, to copy or download, and import with a look before it.

import { by, el, later, said, short, words } from "./dom.js";
import { tell } from "./feed.js";
import { detail, headline, money, plural } from "./text.js";

const formats = { text: "txt", json: "json", csv: "csv", "csv-entries": "csv", hledger: "journal", beancount: "beancount", markdown: "md" };
const imports = { json: "JSON of this program", "csv-entries": "CSV, a row for each entry", splitwise: "Splitwise CSV", spliit: "Spliit JSON" };

const choice = (names, chosen) => Object.entries(names).map(([value, text]) => el("option", { value, selected: value === chosen }, text));

// exportAs shows an export, and tells it in the feed when it is the text.
export async function exportAs(room, format) {
  const dialog = by("export-dialog");
  const data = el("textarea", { readonly: true, rows: 14, "aria-label": "The export" });
  const note = el("p", { class: "note", role: "status" });
  const select = el("select", null, ...choice(Object.fromEntries(Object.keys(formats).map((f) => [f, f])), format));
  const fetchIt = async () => {
    note.textContent = "";
    try {
      data.value = (await room.ask("expense_export", { format: select.value })).data;
      if (select.value === "text") tell("export text", data.value.trimEnd().split("\n"));
    } catch (error) {
      data.value = "";
      note.textContent = words(error);
    }
  };
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(data.value);
      note.textContent = "Copied.";
    } catch {
      data.select();
      note.textContent = "The browser does not let the page copy. It is marked: copy it yourself.";
    }
  };
  select.addEventListener("change", fetchIt);
  dialog.replaceChildren(
    el(
      "div",
      { class: "body" },
      el("h2", { id: "export-title" }, "Export"),
      el("label", null, "Format ", select),
      data,
      note,
      el(
        "div",
        { class: "row" },
        el("button", { type: "button", onclick: copy }, "Copy"),
        el("button", { type: "button", onclick: () => download(`${fileName(room.channel)}.${formats[select.value]}`, data.value) }, "Download"),
        el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Close"),
      ),
    ),
  );
  dialog.showModal();
  await fetchIt();
}

const fileName = (channel) => channel.replace(/[^\p{L}\p{N}_-]+/gu, "-").slice(0, 60) || "room";

function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

// importInto takes in a file or pasted text, after showing what is new.
export function importInto(room) {
  const dialog = by("import-dialog");
  const format = el("select", null, ...choice(imports, "json"));
  const file = el("input", { type: "file", accept: ".json,.csv,.txt" });
  const data = el("textarea", { rows: 8, spellcheck: "false" });
  const look = el("div", { "aria-live": "polite" });
  const button = el("button", { type: "button", disabled: true }, "Import");
  const ask = (dry) => room.ask("expense_import", { format: format.value, data: data.value, dry_run: dry });
  const preview = async () => {
    button.disabled = true;
    if (data.value.trim() === "") return look.replaceChildren();
    try {
      const result = await ask(true);
      look.replaceChildren(...report(result));
      button.disabled = result.new === 0;
    } catch (error) {
      look.replaceChildren(el("p", { class: "error" }, words(error)));
    }
  };
  const run = async () => {
    button.disabled = true;
    look.replaceChildren(el("progress", { "aria-label": "Importing" }));
    try {
      const result = await ask(false);
      tell(`imported ${plural(result.new, "entry", "entries")}, ${result.known} were known`);
      dialog.close();
    } catch (error) {
      look.replaceChildren(el("p", { class: "error" }, words(error)));
    }
  };
  button.addEventListener("click", run);
  format.addEventListener("change", preview);
  data.addEventListener("input", later(300, preview));
  file.addEventListener("change", async () => {
    data.value = (await file.files[0]?.text()) ?? "";
    preview();
  });
  dialog.replaceChildren(
    el(
      "div",
      { class: "body" },
      el("h2", { id: "import-title" }, "Import"),
      el("label", null, "Format ", format),
      el("label", null, "File ", file),
      el("label", null, "or text ", data),
      look,
      el("div", { class: "row" }, button, el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Close")),
    ),
  );
  dialog.showModal();
}

function report(result) {
  const counts = `${result.new} new, ${result.known} known already, ${result.changed} changed, ${result.gone} deleted here, ${result.skipped.length} skipped`;
  const rows = result.rows.slice(0, 50).map((row) => {
    const e = row.entry;
    return el("li", null, `${row.status}: `, said(headline(e), 120), ` ${e.amount ? money(e.amount, e.currency) : ""} `, el("span", { class: "note" }, short(detail(e), 200)));
  });
  const skipped = result.skipped.slice(0, 20).map((s) => el("li", null, `row ${s.line}: `, said(s.why, 200)));
  return [el("p", null, counts), el("ul", null, ...rows, ...skipped)];
}
