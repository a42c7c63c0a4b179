// Asks without leaving the page and shows both answers while they come. Without it the form does the same, whole.

const form = document.getElementById("ask");
const turns = document.getElementById("turns");
const problem = document.getElementById("problem");
const headers = { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value, "X-Requested-With": "chat" };

async function show(place) {
  const response = await fetch(place.dataset.answer, { method: "POST", headers });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    place.append(part.value);
    place.scrollIntoView({ block: "nearest" });
  }
  place.classList.remove("waiting");
}

async function ask() {
  const response = await fetch(form.action, { method: "POST", headers, body: new FormData(form) });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!response.ok) {
    throw new Error(page.querySelector(".note.error")?.textContent ?? String(response.status));
  }
  const turn = document.adoptNode(page.querySelector("section"));
  turns.append(turn);
  form.elements.conversation.value = turn.dataset.conversation;
  form.elements.question.value = "";
  await Promise.all(Array.from(turn.querySelectorAll("[data-answer]"), show));
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  problem.hidden = true;
  try {
    await ask();
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  } finally {
    button.disabled = false;
    form.elements.question.focus();
  }
});

form.elements.question.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    form.requestSubmit();
  }
});
