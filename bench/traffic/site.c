#include "traffic/site.h"

const char *const site_pages[SITE_PAGES] = {
    "/product/overview",
    "/product/scoring",
    "/product/integrations/kafka",
    "/product/integrations/redis",
    "/product/security",
    "/",
    "/pricing",
    "/pricing/enterprise",
    "/customers",
    "/customers/northwind-logistics",
    "/compare",
    "/contact",
    "/blog/how-to-hand-over-leads",
    "/blog/what-is-a-qualified-lead",
    "/blog/sales-and-marketing",
    "/blog/lead-scoring-mistakes",
    "/blog/",
    "/about",
    "/docs/getting-started",
    "/docs/install",
    "/docs/agreement",
    "/docs/api/events",
    "/docs/",
    "/changelog",
};

const char *const site_targets[SITE_TARGETS] = {
    "cta-start-trial", "cta-book-demo",      "nav-pricing", "download-whitepaper",
    "cta-newsletter",  "video-how-it-works", "chat-open",   "https://www.example.com/signup",
};

const char *const site_forms[SITE_FORMS] = {"newsletter", "demo-request", "contact", "whitepaper"};

const struct site_source site_sources[SITE_SOURCES] = {
    {"https://www.google.com/", "organic", "always-on"},
    {"https://www.google.com/", "organic", NULL},
    {"https://www.google.com/", "ads", "autumn-launch"},
    {"https://www.bing.com/", "ads", "retargeting-q4"},
    {"https://mail.example.com/inbox", "newsletter", "newsletter-november"},
    {"https://www.linkedin.com/feed/", "social", "founders-story"},
    {"https://www.linkedin.com/feed/", "ads", "autumn-launch"},
    {"https://partners.example.net/", "partner", "partner-week"},
    {"https://reviews.example.org/leads", "referral", "autumn-launch"},
    {NULL, "direct", NULL},
};

const char *const site_agents[SITE_AGENTS] = {
    "Mozilla/5.0 (X11; Linux x86_64) Gecko Firefox/132.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64) WebKit Chrome/130.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14) Safari/605",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1) Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15) Mobile Chrome/130.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64) WebKit Edg/130.0",
};

const char *const site_first_names[SITE_PEOPLE] = {
    "Anna", "Bruno", "Chiara", "David", "Elif",  "Felipe", "Grace", "Hugo",
    "Ines", "Jonas", "Keiko",  "Luca",  "Maria", "Noah",   "Olga",  "Pedro"};
const char *const site_last_names[SITE_PEOPLE] = {
    "Almeida", "Bauer",  "Costa",    "Diaz", "Evans",  "Fischer", "Garcia", "Hansen",
    "Ivanova", "Jensen", "Kowalski", "Lima", "Moreau", "Novak",   "Okafor", "Park"};
const char *const site_companies[SITE_PEOPLE] = {
    "Northwind",  "Contoso", "Fabrikam",      "Adatum",   "Litware", "Proseware",
    "Tailspin",   "Wingtip", "Fourth Coffee", "Lucerne",  "Margies", "Trey Research",
    "Wide World", "Alpine",  "Coho",          "Woodgrove"};
const char *const site_job_titles[SITE_PEOPLE] = {"Director of Marketing",
                                                  "Head of Sales",
                                                  "VP Operations",
                                                  "Owner",
                                                  "Marketing Manager",
                                                  "Sales Manager",
                                                  "Analyst",
                                                  "Student",
                                                  "Software Engineer",
                                                  "Consultant",
                                                  "CTO",
                                                  "CEO",
                                                  "Buyer",
                                                  "Assistant",
                                                  "Data Engineer",
                                                  "Product Manager"};
const char *const site_sectors[SITE_PEOPLE] = {
    "software",  "retail",       "logistics",  "banking", "insurance", "health",
    "education", "energy",       "travel",     "media",   "telecom",   "automotive",
    "food",      "construction", "consulting", "public"};
const char *const site_countries[SITE_PEOPLE] = {"BR", "DE", "US", "GB", "FR", "ES", "PT", "IT",
                                                 "NL", "SE", "PL", "TR", "JP", "KR", "IN", "CA"};
