// A photo may be dropped anywhere on the page, also when there is one already: it then takes that one's place. Without
// this the browser would leave the page and show the file.
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  const field = document.getElementById("photo"), photo = event.dataTransfer?.files[0];
  const input = () => field.querySelector("input[type=file]");
  if (input() && field.contains(event.target)) return; // the field takes it itself
  event.preventDefault();
  if (!photo) return;
  const give = () => {
    const files = new DataTransfer();
    files.items.add(photo);
    input().files = files.files;
    input().dispatchEvent(new Event("change", { bubbles: true }));
  };
  if (input()) return give();
  field.querySelector("button[aria-label='Clear']").click();
  const wait = setInterval(() => {
    if (!input()) return;
    clearInterval(wait);
    give();
  }, 50);
}, { capture: true });
