// Scanning a QR code with the camera, in browsers that read them; elsewhere the text is pasted.
import { h } from "./dom.js";
import { act } from "./parts.js";
import { t } from "./words.js";

/** The longer side of a picture that is sent, in pixels. */
const side = 1600;

/** A photo as it is sent: small, and without what a camera writes into it. @param {File} file @returns {Promise<Blob | null>} */
async function smaller(file) {
  const image = await createImageBitmap(file), by = Math.min(1, side / Math.max(image.width, image.height)), canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.width * by));
  canvas.height = Math.max(1, Math.round(image.height * by));
  /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.8));
}

/** A photo that the portal reads, where the browser can't: said before it is taken. @param {(text: string) => any} found */
function elsewhere(found) {
  const said = h("p", { role: "status" });
  const photo = h("input.input", { type: "file", accept: "image/*", capture: "environment", id: "scan-photo", "aria-describedby": "scan-sent", onchange: async () => {
    const [file] = photo.files;
    photo.value = "";
    if (!file || file.size > 20 << 20) return;
    said.textContent = t("scan.reading");
    try {
      const r = await fetch("/wallet/api/codes", { method: "POST", headers: { "Content-Type": "image/jpeg" }, body: await smaller(file), credentials: "omit" });
      const texts = r.ok ? (await r.json()).texts : [];
      said.textContent = texts.length ? "" : t("scan.nothing");
      if (texts.length) await found(String(texts[0]));
    } catch (e) {
      said.textContent = e instanceof TypeError ? t("error.network", { host: location.host }) : t("scan.other");
    }
  } });
  return h("div.field", {}, h("label.label", { for: "scan-photo" }, t("scan.take")), h("p.hint", { id: "scan-sent" }, t("scan.sent")), photo, said);
}

/** @param {(text: string) => any} found */
export function part(found) {
  const Detector = /** @type {any} */ (window).BarcodeDetector;
  const body = h("div.flow", {});
  const section = h("section.card.flow", {}, h("h2", {}, t("scan")), body);
  if (!Detector) {
    body.append(h("p", {}, t("scan.none")), elsewhere(found));
    return section;
  }
  const video = h("video.scan", { playsinline: true, muted: true, hidden: true, "aria-label": t("scan.view") });
  const photo = h("input", { type: "file", accept: "image/*", id: "scan-photo", onchange: async () => {
    const [file] = photo.files;
    if (!file || file.size > 20 << 20) return;
    const image = await createImageBitmap(file), codes = await new Detector({ formats: ["qr_code"] }).detect(image);
    said.textContent = codes.length ? "" : t("scan.nothing");
    if (codes.length) await attempt(codes[0].rawValue);
  } });
  const said = h("p", { "aria-live": "assertive" });
  /** @param {string} text */
  const attempt = async (text) => {
    try {
      await found(text);
      return true;
    } catch {
      said.textContent = t("scan.other");
      return false;
    }
  };
  const run = async () => {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      said.textContent = t("scan.denied");
      return;
    }
    video.srcObject = stream;
    video.hidden = false;
    await video.play();
    const detector = new Detector({ formats: ["qr_code"] });
    const stop = () => stream.getTracks().forEach((/** @type {MediaStreamTrack} */ k) => k.stop());
    while (video.isConnected) {
      const [code] = await detector.detect(video).catch(() => []);
      if (code && (await attempt(code.rawValue))) break;
      await new Promise((r) => setTimeout(r, 250));
    }
    stop();
    video.hidden = true;
  };
  body.append(act(".btn-2", t("scan.start"), async () => { run(); }), video, h("div.field", {}, h("label.label", { for: "scan-photo" }, t("scan.photo")), photo), said);
  return section;
}
