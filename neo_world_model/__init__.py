"""The world model: trained from scratch on what robots and videos show, it imagines and acts."""
