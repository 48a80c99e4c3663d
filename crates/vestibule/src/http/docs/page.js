/**
 * Shows the description of the API with Swagger UI. It asks this server alone, and keeps what somebody authorizes with
 * in the memory of the page.
 */
SwaggerUIBundle({
  url: '/api/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  // No address of another host: the validator is one.
  validatorUrl: null,
  // The operations of an area stand in the order of the document.
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
});
