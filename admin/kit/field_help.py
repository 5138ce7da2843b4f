"""One sentence below an input whose label does not say what the value does."""

from models import (
    AssignmentShare,
    Base,
    ClaimCondition,
    ClaimRule,
    CustomerStage,
    CustomField,
    Department,
    Opportunity,
    Organisation,
    Pipeline,
    PipelineStage,
    Pool,
    PoolMember,
    ReleaseRule,
    Role,
    User,
)

from .translation import Label

FIELD_HELP: dict[tuple[type[Base], str], str] = {
    (Pool, "enabled"): Label("A pool that is switched off takes no customers, and nobody claims from it."),
    (Pool, "priority"): Label("When several pools could take a customer, the one with the highest number does."),
    (Pool, "retain_days"): Label("The list shows how many of these days each customer has left. Empty: no end."),
    (Pool, "on_expire"): Label("What is done with a customer when its days in the pool are over."),
    (Pool, "expire_pool_id"): Label("Where it goes when it is moved or archived; an archive takes archived ones."),
    (Pool, "notice_days"): Label("Days before, on which the pool's administrators are reminded. Empty: never."),
    (Pool, "is_archive"): Label("Nobody claims from an archive; its administrators assign or move customers."),
    (ClaimCondition, "name"): Label("What a person reads who may not claim because of it."),
    (ClaimCondition, "effect"): Label("Opens: only such customers may be claimed. Reserves: only for those below."),
    (AssignmentShare, "weight"): Label("Customers in each round, by weight. 0: gets none."),
    (Opportunity, "probability"): Label("Empty: that of the stage."),
    (Opportunity, "closed_on"): Label("Only for what is won or lost. Empty: the day on which that is written down."),
    (Pipeline, "is_default"): Label("Opportunities go here whose pipeline is not chosen."),
    (PipelineStage, "kind"): Label("Whether work goes on in this stage, waits, or is over."),
    (PipelineStage, "probability"): Label("An opportunity that comes here gets it; its owner may give another one."),
    (PipelineStage, "stale_days"): Label(
        "Days in this stage after which an opportunity counts as stale. Empty: never."
    ),
    (PipelineStage, "required_fields"): Label("What has to be filled in before an opportunity may come here."),
    (PipelineStage, "next_stages"): Label("Where an opportunity may go from here. Empty: to any stage."),
    (CustomerStage, "required_fields"): Label("What has to be filled in before a customer may come here."),
    (CustomerStage, "next_stages"): Label("Where a customer may go from here. Empty: to any stage."),
    (ClaimRule, "daily_view_limit"): Label("Pooled customers whose page a person may open in a day. Empty: no limit."),
    (PoolMember, "seat"): Label("Viewers look, members claim, administrators also assign and set the rules."),
    (ClaimRule, "daily_quota"): Label("Customers that a person may claim from this pool in a day. Empty: no limit."),
    (ClaimRule, "weekly_quota"): Label("The same from Monday to Sunday. Empty: no limit."),
    (ClaimRule, "capacity"): Label("Who holds this many customers claims no more from this pool. Empty: no limit."),
    (ClaimRule, "cooldown_days"): Label(
        "Days before a former owner may claim the same customer again. Empty: at once."
    ),
    (ClaimRule, "protect_days"): Label("Days after its arrival in which a customer is only assigned. Empty: none."),
    (ReleaseRule, "lapse"): Label("The days count from the claim, and again from each of these."),
    (ReleaseRule, "business_days"): Label("By the business calendar: weekends and holidays are left out."),
    (ReleaseRule, "starts_at"): Label("No customer goes back before, so owners have time. Empty: at once."),
    (ReleaseRule, "everybody"): Label("Otherwise choose words below: a customer has one of each list that you use."),
    (ReleaseRule, "remind_days"): Label("The owner is told this many days before. Empty: no reminder."),
    (ReleaseRule, "max_extensions"): Label(
        "How often an owner may put off the release of one customer, with a reason."
    ),
    (CustomField, "key"): Label("Stands in addresses, files and programs. Empty: made of the name. It never changes."),
    (CustomField, "label_en"): Label("Empty: the Chinese name is shown in English, too."),
    (CustomField, "options"): Label("In the order in which they are offered. A new name renames it in every record."),
    (CustomField, "dictionary"): Label("Instead of options of its own: a list that other fields use, too."),
    (CustomField, "is_required"): Label(
        "For new records, by people who see the field. Older records stay as they are."
    ),
    (CustomField, "is_searchable"): Label(
        "Makes an index in the background, so long lists filter and sort by it quickly."
    ),
    (Organisation, "time_zone"): Label("For example Asia/Shanghai or Europe/London. Days and weeks begin by it."),
    (Organisation, "currency"): Label("Its code, for example CNY, EUR or USD."),
    (Organisation, "language"): Label("New people begin with it; each of them may choose another."),
    (Organisation, "support_contact"): Label("A name, phone or address that the menu shows to everybody."),
    (Organisation, "capacity"): Label(
        "Customers that a person may hold. Empty: no limit. A department or person may differ."
    ),
    (Organisation, "export_rows"): Label("Rows that one file of records may hold. Empty: no limit."),
    (Organisation, "contact_required"): Label("A new customer then needs the name and the phone of a contact."),
    (Organisation, "approve_customers"): Label(
        "A second person with the right to approve decides. Until then it can be neither claimed nor transferred."
    ),
    (Organisation, "follow_up_days_back"): Label("Maximum age of a follow-up when it is written down, in days."),
    (Organisation, "follow_up_days_ahead"): Label("Number of days by which the time of a follow-up may lie ahead."),
    (Organisation, "follow_up_characters"): Label(
        "A shorter text is saved, but it is no contact. Spaces do not count."
    ),
    (Organisation, "follow_up_copy_days"): Label(
        "A text that its author wrote before within these days is no contact, at any customer. 0: it is."
    ),
    (Organisation, "two_for_policy"): Label("For rights to export, to delete for good or to change the policy."),
    (Department, "parent_id"): Label("Leads of the department above see the customers of this one. Empty: at the top."),
    (Department, "capacity"): Label(
        "Customers that a person here may hold. Empty: as above it, else the organisation."
    ),
    (User, "login"): Label("2 to 40 letters, digits, dots or dashes. It is typed at every sign-in."),
    (User, "capacity"): Label("Customers that this person may hold. Empty: as the department, else the organisation."),
    (User, "absent_until"): Label("Until then this person gets no customers."),
    (Role, "code"): Label("The policy calls the role by it, so it cannot be changed later."),
}
