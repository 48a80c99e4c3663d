/**
 * Shows the description of the API with Swagger UI. It asks this server alone, and keeps what somebody authorizes with
 * in the memory of the page.
 */

const dark = matchMedia('(prefers-color-scheme: dark)');

/** Its dark dress goes by a class, and the wish of whoever looks by a media query. */
function dress() {
  document.documentElement.classList.toggle('dark-mode', dark.matches);
}

dress();
dark.addEventListener('change', dress);

SwaggerUIBundle({
  url: '/api/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  // No address of another host: the usual validator is one.
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: true,
});
