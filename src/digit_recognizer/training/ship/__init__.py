"""The training of the model that ships: characters of many hands and fonts, drawn into crops as people take them."""
