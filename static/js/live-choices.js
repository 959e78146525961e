// [data-choices-url]: a text field beside which the page offers what the connected service lists (channels, boards).
// Without an answer of the service the field stays what it is: a text field. Nothing here is needed to send the form.
for (const input of document.querySelectorAll("[data-choices-url]")) {
  const data = input.dataset;
  const account = data.choicesAccount ? document.getElementById(data.choicesAccount) : null;
  const needs = Object.entries(JSON.parse(data.choicesNeeds)).map(([key, id]) => [key, document.getElementById(id)]);
  const select = document.createElement("select");
  select.setAttribute("aria-label", data.choicesLabel);
  select.hidden = true;
  const problem = document.createElement("p");
  problem.className = "muted small";
  problem.hidden = true;
  input.before(select);
  input.after(problem);
  let round = 0;

  const show = (options, error) => {
    const known = options.some((option) => option.value === input.value);
    select.replaceChildren(new Option(data.choicesPrompt, ""), ...options.map((option) => new Option(option.label, option.value)));
    select.value = known ? input.value : "";
    select.hidden = !options.length;
    // The bare id tells people nothing once its name is shown.
    input.hidden = known;
    problem.textContent = error;
    problem.hidden = !error;
  };

  const load = async () => {
    const mine = ++round;
    const values = needs.map(([key, field]) => [key, field?.value ?? ""]);
    const url = data.choicesUrl.replace("00000000-0000-0000-0000-000000000000", account?.value ?? "");
    if (values.some(([, value]) => !value) || (account && !account.value)) return show([], "");
    const query = new URLSearchParams([...Object.entries(JSON.parse(data.choicesFixed)), ...values]);
    try {
      const answer = await fetch(`${url}?${query}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const found = await answer.json();
      if (mine === round) show(found.options, found.error);
    } catch {
      if (mine === round) show([], "");
    }
  };

  select.addEventListener("change", () => {
    input.value = select.value;
    input.hidden = Boolean(select.value);
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  for (const field of [account, ...needs.map(([, found]) => found)]) field?.addEventListener("change", load);
  load();
}
