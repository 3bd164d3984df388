// Shows the description of the server that this page comes from. Nothing is loaded from elsewhere, and a key that is
// typed in is kept in this page only, until it is closed.
SwaggerUIBundle({
  url: "../openapi.json",
  dom_id: "#operations",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: false,
  requestSnippetsEnabled: true,
  validatorUrl: null,
});
