// What the page is opened with: the code or invite in the address, and what this
// tab keeps until it is closed. The token lives in the tab alone.

const store = sessionStorage;

// arrival reads the fragment and takes it out of the address, so that neither a
// bookmark nor a shoulder keeps it.
export function arrival() {
  const asked = new URLSearchParams(location.hash.slice(1));
  if (location.hash) history.replaceState(null, "", location.pathname);
  return { code: asked.get("code") ?? "", room: asked.get("room") ?? "", invite: asked.get("invite") ?? "" };
}

// exchange gives the bridge and a token for a code.
export async function exchange(code) {
  const answer = await fetch("/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
  });
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

export const remember = (name, value) => store.setItem(name, value);
export const recall = (name) => store.getItem(name) ?? "";
export const forget = (name) => store.removeItem(name);
